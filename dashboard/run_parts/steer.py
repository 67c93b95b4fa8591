"""What can be done with a run: each button says first what it would do."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.actions.runs import cancel, retry
from dashboard.data.source import asking
from dashboard.views.run_actions import Act, acts
from ops.errors import ControlRoomError
from ops.model import RunId
from ops.pipeline_reads import Pipelines
from ops.views import PhaseRow, RunDetail


def steer(run: RunDetail, phases: Sequence[PhaseRow]) -> None:
    with asking() as connection:
        allowed = run.env in Pipelines(connection).my_envs(run.project_id, "operator")
    with st.container(horizontal=True):
        for act in acts(run, phases, allowed):
            if act.name != "verify" or not act.why_not:
                help_ = act.why_not or None
                if st.button(f"{act.button}…", key=act.name, disabled=bool(act.why_not), help=help_):
                    ask(act, run.run_id)


@st.dialog("Before it is done")
def ask(act: Act, run_id: RunId) -> None:
    for line in act.lines:
        st.write(line)
    st.code(act.command, "sh")
    if act.name == "verify":
        return
    if st.button(act.button, key=f"do_{act.name}", type="primary"):
        try:
            done = done_of(act, run_id)
        except ControlRoomError as error:
            st.error(f"{error.message} ({error.code})")
            return
        if done == run_id:
            st.rerun()
        st.switch_page("app_pages/run.py", query_params={"id": str(done)})


def done_of(act: Act, run_id: RunId) -> RunId:
    """Does it; the run to look at afterwards."""
    if act.name == "cancel":
        cancel(run_id)
        return run_id
    return retry(run_id)
