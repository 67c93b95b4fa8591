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
from dashboard.views.run import facts, foremost, left_out, phase_lines
from dashboard.views.timeline import slower, timeline
from dashboard.views.verdict import advice, first_seen, verdict
from dashboard.views.waiting import Reason, reasons
from ops.database import Connection
from ops.limits import Limits
from ops.model import RunId, RunStatus
from ops.reads import Reads
from ops.run_reads import RunPages, Usual
from ops.views import PhaseRow, RunDetail

T = TypeVar("T")


def head(run_id: RunId, ended: bool, usual: Sequence[Usual]) -> None:
    """The verdict and the numbers; once the run has ended, the whole page is drawn, with what it left behind."""
    said, over = _looked("run head", run_id, ended, usual, head_of)
    st.html(said)
    if over and not ended:
        st.rerun()


def progress(run_id: RunId, ended: bool, usual: Sequence[Usual], whole: bool) -> None:
    """The timeline and the phases: all of them, or those that one looks for while it runs."""
    make = all_of if whole else foremost_of
    bars, lines = _looked(f"run progress {make.__name__}", run_id, ended, usual, make)
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


def all_of(connection: Connection, run_id: RunId, usual: Sequence[Usual]) -> tuple[str, str]:
    """Timeline and phases as they are drawn."""
    return _progress(connection, run_id, usual, list)


def foremost_of(connection: Connection, run_id: RunId, usual: Sequence[Usual]) -> tuple[str, str]:
    """The same of those phases that one looks for."""
    return _progress(connection, run_id, usual, foremost)


def _progress(
    connection: Connection,
    run_id: RunId,
    usual: Sequence[Usual],
    choose: Callable[[Sequence[PhaseRow]], list[PhaseRow]],
) -> tuple[str, str]:
    reading, more = Reads(connection), RunPages(connection)
    run, phases = reading.run(run_id), reading.phases(run_id)
    lifecycle, commits = more.lifecycle(run_id), more.commits(run_id)
    now, shown = datetime.now(UTC), choose(phases)
    rest = left_out(phases, shown)
    return (
        render("timeline", timeline=timeline(run, shown, now, lifecycle, commits, usual), rest=rest),
        render("phases", lines=phase_lines(shown, now), slower=slower(shown, usual, now), rest=rest),
    )


def waits(connection: Connection, run: RunDetail) -> list[Reason]:
    """What holds it up."""
    more = RunPages(connection)
    waiting = Limits(connection).why_waiting(run.run_id) if run.status is RunStatus.QUEUED else None
    return reasons(run, more.standing(run.run_id), waiting, more.stale_inputs(run.run_id, reads_of(run.spec)))
