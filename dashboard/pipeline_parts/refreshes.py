"""A pipeline's full refreshes: what each has built beside what readers have, and swap or roll back by who may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.actions.pipelines import roll_back_refresh, swap_refresh
from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.pipeline_parts.refresh_form import ask_refresh
from dashboard.views.refreshes import difference_lines, refresh_line
from ops.pipeline_reads import PipelineDetail, Pipelines
from ops.refreshes import Refresh, Refreshes

ROWS = 5
DECIDED = "refresh_decided"


def refreshes(detail: PipelineDetail) -> None:
    """The heading, the button that starts one, and the live list."""
    with asking() as connection:
        mine = Pipelines(connection).my_envs(detail.project_id, "editor")
    st.html(section("Refreshes"))
    why = None if mine else "This needs the role editor; ask an admin of the project."
    if st.button("Refresh…", key="refresh", disabled=why is not None, help=why):
        ask_refresh(detail, mine)
    # A dialog cannot be opened from a fragment that draws itself: the page does it.
    if row := st.session_state.pop(DECIDED, None):
        (ask_swap if row.state == "built" else ask_roll_back)(row)
    listing(detail, mine)


@refreshed(5)
def listing(detail: PipelineDetail, mine: Sequence[str]) -> None:
    with asking() as connection:
        reading = Refreshes(connection)
        rows = reading.list(detail.project_id, None, ROWS, detail.slug)
        found = [(row, reading.comparisons(row) if row.state in ("built", "swapped") else []) for row in rows]
    if not rows:
        st.html(faint("None was started. A refresh builds all tables anew beside what readers have."))
    for row, comparisons in found:
        line = refresh_line(row, datetime.now(UTC))
        with st.container(border=True):
            st.html(render("refresh", line=line, differences=difference_lines(comparisons)))
            if line.decidable:
                decide(row, line.decidable, row.env in mine)


def decide(row: Refresh, what: str, able: bool) -> None:
    button = "Swap in…" if what == "swap" else "Roll back…"
    why = None if able else f"This needs the role editor in {row.env}; ask an admin of the project."
    if st.button(button, key=f"decide_{row.refresh_id}", disabled=not able, help=why):
        st.session_state[DECIDED] = row
        st.rerun()


@st.dialog("Swap in")
def ask_swap(row: Refresh) -> None:
    st.write(f"Readers of {row.env} get all its tables at once. What they have now can be given back by rolling back.")
    note = st.text_input("Why", key="refresh_note", placeholder="kept in the audit log")
    if st.button("Swap in", type="primary", key="do_swap"):
        with refused():
            swap_refresh(row.refresh_id, note.strip())
            done(f"Readers of {row.env} have what was built anew.")


@st.dialog("Roll back")
def ask_roll_back(row: Refresh) -> None:
    st.write(f"Readers of {row.env} get what they had before the swap.")
    later = st.checkbox("Also set aside what runs have written upon it since", key="refresh_later")
    note = st.text_input("Why", key="refresh_note", placeholder="kept in the audit log")
    if st.button("Roll back", type="primary", key="do_roll_back"):
        with refused():
            roll_back_refresh(row.refresh_id, bool(later), note.strip())
            done(f"Readers of {row.env} have what they had before.")
