"""Choosing among runs: a page of them that stands still, and what is done with those that are ticked, after a preview."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import polars as pl
import streamlit as st

from dashboard.actions.runs import Done, cancel_all, retry_all
from dashboard.components.paging import place, turn
from dashboard.components.render import render
from dashboard.data.source import asking, person, reads
from dashboard.views.bulk import NOBODY, Held, Preview, cancel_preview, retry_preview, why_not
from dashboard.views.filters import Chosen, Position, address_of, position
from dashboard.views.runs import run_lines
from ops.access_reads import Access
from ops.model import RunId, Trigger
from ops.reads import Reads
from ops.run_filter import RunFilter
from ops.run_reads import RunPages
from ops.views import RunRow

PAGE_ROWS = 50
# How many are chosen from: a page of the list, or as many as one may want to stop at once.
LENGTHS = (PAGE_ROWS, 500)
PLACE = "before"
_HELD, _COUNT, _DONE = "runs_held", "runs_held_count", "runs_done"


def page_of(
    source: Reads, wanted: RunFilter, before: Position | None, most: int = PAGE_ROWS
) -> tuple[list[RunRow], str | None]:
    """A page, and where the next one begins."""
    rows = source.list_runs(wanted, most + 1, before)
    page = rows[:most]
    return page, address_of((page[-1].created_at, page[-1].run_id)) if len(rows) > most else None


def choose(chosen: Chosen) -> None:
    """The runs of a filter to tick, and the two things that can be done with them."""
    page = _held(chosen, _length())
    with asking() as connection:
        rows, mine = RunPages(connection).lines(page.ids), Access(connection).my_roles()
    marked = _ticked(page, rows)
    own = _own(marked)
    cancel, retry, again = st.columns([1, 1, 8])
    refused = why_not(marked, mine, own)
    if cancel.button("Cancel…", key="cancel_all", disabled=bool(refused), help=refused or None):
        _ask("Cancel", cancel_preview(marked, mine, own))
    refused = why_not(marked, mine)
    if retry.button("Retry…", key="retry_all", disabled=bool(refused), help=refused or None):
        _ask("Retry", retry_preview(marked, mine))
    again.button("Look again", key="look_again", on_click=let_go, help="The list stands still while you choose.")
    turn(PLACE, chosen, page.then)


def let_go() -> None:
    """The page is read anew the next time; what was ticked on it is not ticked any more."""
    st.session_state.pop(_HELD, None)


def came_of_it() -> Done | None:
    """What the last action came to, once."""
    done: Done | None = st.session_state.pop(_DONE, None)
    return done


def _length() -> int:
    said = "The box above the rows ticks all of them."
    return (
        st.segmented_control("Runs to choose from", LENGTHS, default=LENGTHS[0], key="length", help=said) or LENGTHS[0]
    )


def _held(chosen: Chosen, most: int) -> Held:
    """The page as it was read when one began to choose; read anew for other filters, at another place, after an action."""
    before = position(place(PLACE, chosen))
    of = (chosen, before, most)
    held: Held | None = st.session_state.get(_HELD)
    if held is None or held.of != of:
        rows, then = page_of(reads(), chosen.wanted(datetime.now(UTC)), before, most)
        number = st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
        held = st.session_state[_HELD] = Held(of, tuple(row.run_id for row in rows), then, number)
    return held


def _ticked(page: Held, rows: Sequence[RunRow]) -> list[RunRow]:
    lines = run_lines(rows, datetime.now(UTC))
    shown = pl.DataFrame(
        {
            "run": [line.run_id[-12:] for line in lines],
            "pipeline": [line.pipeline for line in lines],
            "status": [line.status for line in lines],
            "where": [line.where for line in lines],
            "created": [line.created for line in lines],
            "phase or error": [line.doing for line in lines],
        }
    )
    picked = st.dataframe(shown, key=page.key(rows), on_select="rerun", selection_mode="multi-row", hide_index=True)
    return [rows[number] for number in picked["selection"]["rows"] if number < len(rows)]


def _own(marked: Sequence[RunRow]) -> AbstractSet[RunId]:
    """Those that the person may cancel because they asked them."""
    questions = [row.run_id for row in marked if row.trigger == Trigger.QUERY]
    if not questions:
        return NOBODY
    with asking() as connection:
        return RunPages(connection).asked_by(questions, person().subject)


@st.dialog("Before it is done", width="medium")
def _ask(what: str, preview: Preview) -> None:
    """What is done is done to the runs that are named here, whatever the list has by then."""
    st.html(render("said", lines=preview.lines))
    if st.button(what, key="do_all", type="primary", disabled=not preview.rows):
        act = cancel_all if what == "Cancel" else retry_all
        with st.spinner("One after the other …"):
            st.session_state[_DONE] = act([row.run_id for row in preview.rows])
        let_go()
        st.rerun()
