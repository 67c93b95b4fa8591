"""How a run is at this moment: verdict, numbers, why it waits; timeline and phases. Asked again until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st

from dashboard.components.render import render
from dashboard.data.shared import shared
from dashboard.data.source import looking
from dashboard.views.phase_tables import reads_of
from dashboard.views.run import facts, phase_lines
from dashboard.views.timeline import slower, timeline
from dashboard.views.verdict import advice, first_seen, verdict
from dashboard.views.waiting import Reason, reasons
from ops.database import Connection
from ops.limits import Limits
from ops.model import RunId, RunStatus
from ops.reads import Reads
from ops.run_reads import RunPages, Usual
from ops.views import RunDetail

T = TypeVar("T")


def head(run_id: RunId, ended: bool, usual: Sequence[Usual]) -> None:
    """The verdict and the numbers; once the run has ended, the whole page is drawn, with what it left behind."""
    said, over = _looked("run head", run_id, ended, usual, head_of)
    st.html(said)
    if over and not ended:
        st.rerun()


def progress(run_id: RunId, ended: bool, usual: Sequence[Usual]) -> None:
    """The timeline and the phases."""
    bars, lines = _looked("run progress", run_id, ended, usual, progress_of)
    st.header("Timeline")
    st.html(bars)
    st.header("Phases")
    st.html(lines)


def _looked(
    name: str,
    run_id: RunId,
    ended: bool,
    usual: Sequence[Usual],
    make: Callable[[Connection, RunId, Sequence[Usual]], T],
) -> T:
    """What is looked at again and again is read once for all who do; what is drawn once must not be an answer of before."""
    if ended:
        with looking() as connection:
            return make(connection, run_id, usual)
    return shared(name, (run_id, usual), lambda connection: make(connection, run_id, usual))


def head_of(connection: Connection, run_id: RunId, usual: Sequence[Usual]) -> tuple[str, bool]:
    """As it is drawn, and whether the run has ended."""
    reading = Reads(connection)
    run, phases, datasets = reading.run(run_id), reading.phases(run_id), reading.dataset_versions(run_id)
    why = [] if run.status.terminal else waits(connection, run)
    now = datetime.now(UTC)
    said = {"verdict": verdict(run, phases, now), "first_seen": first_seen(run, phases), "advice": advice(run)}
    drawn = render("head", run=run, facts=facts(run, datasets, now, usual), **said)
    if why:
        drawn += render("reasons", reasons=why, label="why it is where it is")
    return drawn, run.status.terminal


def progress_of(connection: Connection, run_id: RunId, usual: Sequence[Usual]) -> tuple[str, str]:
    """Both as they are drawn."""
    reading, more = Reads(connection), RunPages(connection)
    run, phases = reading.run(run_id), reading.phases(run_id)
    lifecycle, commits = more.lifecycle(run_id), more.commits(run_id)
    now = datetime.now(UTC)
    return (
        render("timeline", timeline=timeline(run, phases, now, lifecycle, commits, usual)),
        render("phases", lines=phase_lines(phases, now), slower=slower(phases, usual, now)),
    )


def waits(connection: Connection, run: RunDetail) -> list[Reason]:
    """What holds it up."""
    more = RunPages(connection)
    waiting = Limits(connection).why_waiting(run.run_id) if run.status is RunStatus.QUEUED else None
    return reasons(run, more.standing(run.run_id), waiting, more.stale_inputs(run.run_id, reads_of(run.spec)))
