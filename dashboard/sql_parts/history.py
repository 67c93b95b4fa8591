"""What was asked before, with search, and answers that were given a name."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.links import Named, link
from dashboard.data.source import asking, link_key, person
from dashboard.views.access import position
from dashboard.views.queries import past_lines
from ops.errors import BadInput
from ops.model import Scope
from ops.query_reads import QueryPage
from ops.warehouse import QueryFilter, Warehouse

PAGE_ROWS = 20
STATES = ("running", "succeeded", "failed", "canceled")


@refreshed(None)
def history(scope: Scope) -> None:
    words, states, own = st.columns([3, 3, 1], vertical_alignment="bottom")
    text = words.text_input("Words of the SQL", key="asked", placeholder="all of them", on_change=newest)
    chosen = states.pills("State", STATES, selection_mode="multi", key="asked_states", on_change=newest)
    mine = own.toggle("Only mine", key="asked_mine", on_change=newest)
    wanted = QueryFilter(
        scope.org, scope.project, scope.env, text=(text or "").strip(), status=tuple(chosen), mine=bool(mine)
    )
    before = position(st.session_state.get("asked_before"))
    try:
        with asking() as connection:
            rows = list(Warehouse(connection).find(wanted, PAGE_ROWS + 1, before))
    except BadInput as error:
        st.warning(error.message)
        return
    narrow = bool(wanted.text or wanted.status or wanted.mine or before)
    st.html(render("past_questions", lines=past_lines(rows[:PAGE_ROWS], datetime.now(UTC)), narrow=narrow))
    first, more, _ = st.columns([1, 1, 8])
    if before and first.button("Newest", key="asked_newest"):
        newest()
        st.rerun(scope="fragment")
    if len(rows) > PAGE_ROWS and more.button("Older", key="asked_older"):
        last = rows[PAGE_ROWS - 1]
        st.session_state["asked_before"] = f"{last.created_at.isoformat()}_{last.run_id}"
        st.rerun(scope="fragment")


def newest() -> None:
    """Another filter begins at the newest."""
    st.session_state.pop("asked_before", None)


def saved(scope: Scope) -> None:
    who = person()
    with asking() as connection:
        rows = QueryPage(connection).saved(scope.org, scope.project)
    links = [link(link_key(), Named(row.run_id, row.artifact_id, row.sha256), who.subject) for row in rows]
    st.html(render("saved", rows=list(zip(rows, links, strict=True)), now=datetime.now(UTC)))
