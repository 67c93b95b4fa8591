"""How a run is at this moment: verdict, numbers, why it waits; timeline and phases. Asked again until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st

from dashboard.components.render import render, section
from dashboard.data.shared import shared
from dashboard.data.source import asking
from dashboard.views.phase_tables import reads_of
from dashboard.views.run import facts, foremost, left_out, particulars, phase_lines
from dashboard.views.timeline import slower, timeline
from dashboard.views.verdict import advice, first_seen, verdict
from dashboard.views.waiting import reasons
from ops.database import Connection
from ops.limits import Limits
from ops.model import RunStatus
from ops.reads import Reads
from ops.run_reads import RunPages, Usual
from ops.views import PhaseRow, RunDetail

T = TypeVar("T")


@dataclass(frozen=True)
class Look:
    """What is drawn here is drawn from."""

    connection: Connection
    run: RunDetail
    phases: Sequence[PhaseRow]
    usual: Sequence[Usual]


def head(run: RunDetail, phases: Sequence[PhaseRow], usual: Sequence[Usual]) -> None:
    """The verdict and the numbers; once the run has ended, the whole page is drawn, with what it left behind."""
    said, over = _looked("run head", run, phases, usual, head_of)
    st.html(said)
    if over and not run.status.terminal:
        st.rerun()


def progress(run: RunDetail, phases: Sequence[PhaseRow], usual: Sequence[Usual], whole: bool) -> None:
    """The timeline and the phases: all of them, or those that one looks for while it runs."""
    make = all_of if whole else foremost_of
    bars, lines = _looked(f"run progress {make.__name__}", run, phases, usual, make)
    st.html(section("Timeline", bars) + section("Phases", lines))


def _looked(
    name: str, run: RunDetail, phases: Sequence[PhaseRow], usual: Sequence[Usual], make: Callable[[Look], T]
) -> T:
    """Of a run that has ended, what is known stays so; others are looked at again, once for all who do."""
    if run.status.terminal:
        with asking() as connection:
            return make(Look(connection, run, phases, usual))

    def anew(connection: Connection) -> T:
        reading = Reads(connection)
        return make(Look(connection, reading.run(run.run_id), reading.phases(run.run_id), usual))

    return shared(name, (run.run_id, usual), anew)


def head_of(look: Look) -> tuple[str, bool]:
    """As it is drawn, and whether the run has ended."""
    connection, run, phases, usual = look.connection, look.run, look.phases, look.usual
    datasets = Reads(connection).dataset_versions(run.run_id)
    more, now = RunPages(connection), datetime.now(UTC)
    standing = more.standing(run.run_id)
    waiting = Limits(connection).why_waiting(run.run_id) if run.status is RunStatus.QUEUED else None
    stale = [] if run.status.terminal else more.stale_inputs(run.run_id, reads_of(run.spec))
    said = {"verdict": verdict(run, phases, now, waiting), "first_seen": first_seen(run, phases), "advice": advice(run)}
    told = particulars(run, standing.executor)
    drawn = render("head", run=run, facts=facts(run, datasets, now, usual), particulars=told, **said)
    if why := reasons(run, standing, waiting, stale):
        drawn += render("reasons", reasons=why, label="why it is where it is")
    return drawn, run.status.terminal


def all_of(look: Look) -> tuple[str, str]:
    """Timeline and phases as they are drawn."""
    return _progress(look, look.phases)


def foremost_of(look: Look) -> tuple[str, str]:
    """The same of those phases that one looks for."""
    return _progress(look, foremost(look.phases))


def _progress(look: Look, shown: Sequence[PhaseRow]) -> tuple[str, str]:
    more, run, usual = RunPages(look.connection), look.run, look.usual
    lifecycle, commits = more.lifecycle(run.run_id), more.commits(run.run_id)
    now, rest = datetime.now(UTC), left_out(look.phases, shown)
    return (
        render("timeline", timeline=timeline(run, shown, now, lifecycle, commits, usual), rest=rest),
        render("phases", lines=phase_lines(shown, now), slower=slower(shown, usual, now), rest=rest),
    )
