"""A pipeline's backfills: how far each is, its chunks, and what may be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.actions.pipelines import cancel_backfill, pause_backfill, resume_backfill
from dashboard.components.gate import refreshed
from dashboard.components.render import render, section
from dashboard.components.said import refused
from dashboard.data.source import asking
from dashboard.pipeline_parts.backfill_form import ask_backfill
from dashboard.views.backfills import backfill_line, chunk_lines
from dashboard.views.words import count
from ops.backfills import BackfillRow, Backfills
from ops.pipeline_reads import PipelineDetail, Pipelines

ROWS, CHUNKS = 10, 200
OPENED = "backfill_opened"


def backfills(detail: PipelineDetail) -> None:
    """The heading, the button that orders one, and the live list."""
    with asking() as connection:
        mine = Pipelines(connection).my_envs(detail.project_id, "operator")
    st.html(section("Backfills"))
    partitioned = bool(detail.spec.get("partition"))
    why = (
        "Its spec names no partition: write `partition:` into it, as docs/backfill.md says."
        if not partitioned
        else None
        if mine
        else "This needs the role operator; ask an admin of the project."
    )
    if st.button("Backfill…", key="backfill", disabled=why is not None, help=why):
        ask_backfill(detail, mine)
    # A dialog cannot be opened from a fragment that draws itself: the page does it.
    if opened := st.session_state.pop(OPENED, None):
        what, row = opened
        (ask_cancel if what == "cancel" else show_chunks)(row)
    listing(detail, mine)


@refreshed(5)
def listing(detail: PipelineDetail, mine: Sequence[str]) -> None:
    with asking() as connection:
        rows = Backfills(connection).backfills(limit=ROWS + 1, project_id=detail.project_id, pipeline=detail.slug)
    if not rows:
        st.caption("None was ordered. A backfill computes past partitions anew, each once, whatever dies meanwhile.")
    for row in rows[:ROWS]:
        one(row, row.env in mine)
    if len(rows) > ROWS:
        st.caption(f"The newest {ROWS}. The others: `controlroom backfill list`.")


def one(row: BackfillRow, able: bool) -> None:
    line = backfill_line(row, datetime.now(UTC))
    why = None if able else f"This needs the role operator in {row.env}; ask an admin of the project."
    with st.container(border=True):
        st.html(render("backfill", line=line))
        with st.container(horizontal=True):
            if st.button("Chunks…", key=f"chunks_{row.id}"):
                st.session_state[OPENED] = ("chunks", row)
                st.rerun()
            if line.pausable and st.button("Pause", key=f"pause_{row.id}", disabled=not able, help=why):
                done(pause_backfill, row.id)
            if line.resumable and st.button("Resume", key=f"resume_{row.id}", disabled=not able, help=why):
                done(resume_backfill, row.id)
            if line.cancelable and st.button("Cancel…", key=f"cancel_{row.id}", disabled=not able, help=why):
                st.session_state[OPENED] = ("cancel", row)
                st.rerun()


def done(act: Callable[[UUID], str], backfill_id: UUID) -> None:
    with refused():
        act(backfill_id)
        st.rerun(scope="fragment")


@st.dialog("Chunks", width="large")
def show_chunks(row: BackfillRow) -> None:
    with asking() as connection:
        rows = Backfills(connection).telling_chunks(row.id, CHUNKS)
    st.html(render("chunks", lines=chunk_lines(rows)))
    if row.chunks > CHUNKS:
        st.caption(f"{CHUNKS} of {row.chunks:,}, failed ones first. All of them: `controlroom backfill show {row.id}`.")


@st.dialog("Cancel a backfill")
def ask_cancel(row: BackfillRow) -> None:
    st.write(f"{count(row.pending, 'chunk')} will not be run, and {count(row.queued, 'open run')} canceled.")
    st.write(f"What {count(row.succeeded, 'chunk')} made stays as it is.")
    reason = st.text_input("Why", key="backfill_why", placeholder="kept with it")
    if st.button("Cancel backfill", type="primary", key="do_cancel_backfill"):
        with refused():
            cancel_backfill(row.id, reason.strip() or "from the page")
            st.rerun()
