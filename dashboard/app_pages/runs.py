"""Runs: how many are in which state, and the latest, refreshed while one looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.source import reads, settings
from dashboard.views.runs import TILES, run_lines, tiles
from ops.model import RunId
from ops.run_filter import RunFilter

PAGE_ROWS = 50
ANY = "any"


@refreshed(2)
def overview() -> None:
    fresh = datetime.now(UTC) - timedelta(seconds=settings().lease_seconds)
    source = reads()
    st.html(render("tiles", tiles=tiles(source.status_counts(), source.executors(fresh))))


@refreshed(2)
def listing(pipeline: str, status: str, before: tuple[datetime, RunId] | None) -> None:
    wanted = RunFilter(pipeline=None if pipeline == ANY else pipeline, status=() if status == ANY else TILES[status])
    rows = reads().list_runs(wanted, PAGE_ROWS + 1, before)
    shown = rows[:PAGE_ROWS]
    st.html(render("runs", lines=run_lines(shown, datetime.now(UTC))))
    newest, older = st.columns([1, 9])
    if before is not None and newest.button("Newest", key="newest"):
        st.session_state["before"] = None
        st.rerun()
    if len(rows) > PAGE_ROWS and older.button("Older", key="older"):
        st.session_state["before"] = (shown[-1].created_at, shown[-1].run_id)
        st.rerun()


def first_page() -> None:
    st.session_state["before"] = None


st.title("Runs")
overview()
names = sorted({row.slug for row in reads().pipelines()})
left, right, _ = st.columns([2, 2, 4])
chosen = left.selectbox("Pipeline", [ANY, *names], key="pipeline", bind="query-params", on_change=first_page)
state = right.selectbox("Status", [ANY, *TILES], key="status", bind="query-params", on_change=first_page)
listing(chosen or ANY, state or ANY, st.session_state.get("before"))
