"""Pipelines: whose they are, how their latest runs went, what stage and prod run, what starts them."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.source import asking
from dashboard.views.filters import ANY
from dashboard.views.pipelines import pipeline_lines
from ops.pipeline_reads import Pipelines, PipelineSummary
from ops.tenancy import Tenancy

PAGE_ROWS = 50


def first_page() -> None:
    st.query_params.pop("after", None)


def filters() -> tuple[str, str | None]:
    with asking() as connection:
        projects = [f"{row.org}/{row.project}" for row in Tenancy(connection).projects()]
    words, where, _ = st.columns([3, 2, 5])
    text = words.text_input("Name", key="text", placeholder="part of a name", bind="query-params", on_change=first_page)
    within = where.selectbox("Project", [ANY, *projects], key="project", bind="query-params", on_change=first_page)
    return (text or "").strip(), None if within in (None, ANY) else within


def place(address: str | None) -> tuple[str, ...]:
    """Org, project and name that the page begins after; of what is no place: the beginning."""
    parts = tuple((address or "").split("/"))
    return parts if len(parts) == 3 else ("", "", "")


@refreshed(10)
def listing(text: str, within: str | None, after: tuple[str, ...]) -> None:
    with asking() as connection:
        rows = Pipelines(connection).page(text, within, after, PAGE_ROWS + 1)
    narrow = bool(text or within or any(after))
    st.html(render("pipelines", lines=pipeline_lines(rows[:PAGE_ROWS], datetime.now(UTC)), narrow=narrow))
    turn_page(rows, after)


def turn_page(rows: list[PipelineSummary], after: tuple[str, ...]) -> None:
    first, more = st.columns([1, 9])
    if any(after) and first.button("First", key="first"):
        first_page()
        st.rerun()
    if len(rows) > PAGE_ROWS and more.button("More", key="more"):
        last = rows[PAGE_ROWS - 1]
        st.query_params["after"] = f"{last.org}/{last.project}/{last.slug}"
        st.rerun()


st.title("Pipelines")
listing(*filters(), place(st.query_params.get("after")))
