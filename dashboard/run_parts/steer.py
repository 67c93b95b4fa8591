"""What can be done with a run: each button says first what it would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboard.actions.runs import cancel, replay, retry
from dashboard.components.render import render
from dashboard.components.said import refused
from dashboard.data.source import asking, person
from dashboard.pipeline_parts.backfill_form import ask_backfill
from dashboard.views.run_actions import EVERY_PHASE, Act, acts, chosen_rerun, first_choice, rerun_lines
from ops.backfills import Backfills
from ops.errors import ControlRoomError, NotFound
from ops.model import RunId, Trigger
from ops.pipeline_reads import PipelineDetail, Pipelines
from ops.run_reads import RunPages
from ops.views import PhaseRow, RunDetail


def steer(run: RunDetail, phases: Sequence[PhaseRow]) -> None:
    with asking() as connection:
        reading = Pipelines(connection)
        allowed = run.env in reading.my_envs(run.project_id, "operator")
        try:
            detail = reading.one(run.org, run.project, run.pipeline)
        except NotFound:
            # A question is of no pipeline.
            detail = None
        asked = run.trigger == Trigger.QUERY and bool(RunPages(connection).asked_by([run.run_id], person().subject))
    with st.container(horizontal=True):
        for act in acts(run, allowed, bool(detail and detail.spec.get("partition")), asked):
            if act.name != "verify" or not act.why_not:
                help_ = act.why_not or None
                if st.button(f"{act.button}…", key=act.name, disabled=bool(act.why_not), help=help_):
                    ask(act, run, phases, detail)


def ask(act: Act, run: RunDetail, phases: Sequence[PhaseRow], detail: PipelineDetail | None) -> None:
    """Opens the dialog of an act."""
    match act.name:
        case "again":
            ask_phase(act, run, phases)
        case "retry" | "replay":
            ask_rerun(act, run)
        case "backfill" if detail is not None:
            ask_backfill(detail, (run.env,))
        case _:
            ask_plainly(act, run.run_id)


@st.dialog("Before it is done")
def ask_plainly(act: Act, run_id: RunId) -> None:
    told(act, act.command)
    if act.name != "verify" and st.button(act.button, key=f"do_{act.name}", type="primary"):
        with refused():
            cancel(run_id)
            st.rerun()


@st.dialog("Before it is done", width="medium")
def ask_rerun(act: Act, run: RunDetail) -> None:
    told(act, act.command)
    if planned(run.run_id, act.name, None) and st.button(act.button, key=f"do_{act.name}", type="primary"):
        made(partial(replay if act.name == "replay" else retry, run.run_id))


@st.dialog("Before it is done", width="medium")
def ask_phase(act: Act, run: RunDetail, phases: Sequence[PhaseRow]) -> None:
    latest = st.toggle(
        f"On the latest definition that {run.env} runs, and on inputs of now",
        key="latest",
        help="Without it: on the definition and the table versions that this run had.",
    )
    names = [phase.name for phase in phases]
    if latest:
        phase = st.selectbox("From phase", [EVERY_PHASE, *names], key="from_phase_latest")
    else:
        phase = st.selectbox("From phase", names, first_choice(phases), key="from_phase")
    way, from_phase, command = chosen_rerun(run.run_id, phase or EVERY_PHASE, bool(latest))
    told(act, command)
    if planned(run.run_id, way, from_phase) and st.button(act.button, key=f"do_{act.name}", type="primary"):
        made(partial(retry, run.run_id, from_phase, bool(latest)))


def told(act: Act, command: str) -> None:
    for line in act.lines:
        st.write(line)
    st.code(command, "sh")


def planned(run_id: RunId, way: str, from_phase: str | None) -> bool:
    """Says what the database would do, or why it would refuse; whether it would do it."""
    try:
        with asking() as connection:
            plan = Backfills(connection).preview(run_id, way, from_phase)
    except ControlRoomError as error:
        st.warning(f"{error.message} ({error.code})")
        return False
    for line in rerun_lines(plan):
        st.write(line)
    st.html(render("rerun", rows=plan))
    return True


def made(make: Callable[[], RunId]) -> None:
    """Makes a run and goes to it."""
    try:
        run_id = make()
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
        return
    st.switch_page("app_pages/run.py", query_params={"id": str(run_id)})
