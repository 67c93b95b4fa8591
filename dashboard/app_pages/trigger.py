"""Start a run: a pipeline, its parameters as the spec types them, an environment."""

from __future__ import annotations

import streamlit as st

from dashboard.actions.runs import start
from dashboard.components.params import asked
from dashboard.data.source import settings
from dashboard.data.specs import spec_of
from dashboard.views.words import count
from ops.errors import ControlRoomError
from pipelines.catalogue import specs
from pipelines.spec import Pipeline

ENVS = ("dev", "stage", "prod")


def form(name: str, spec: Pipeline) -> None:
    with st.form(f"start_{name}"):
        given = {param: asked(param, described) for param, described in spec.params.items()}
        env = st.selectbox("Environment", ENVS, index=ENVS.index(settings().env), key="env") or settings().env
        priority = st.number_input("Priority (lower goes first)", value=100, step=10, key="priority")
        submitted = st.form_submit_button("Start run", type="primary", key="start")
    if submitted:
        try:
            run_id = start(name, {key: value for key, value in given.items() if value is not None}, env, int(priority))
        except ControlRoomError as error:
            st.error(f"{error} ({error.code})")
            return
        st.switch_page("app_pages/run.py", query_params={"id": str(run_id)})


st.title("Start a run")
chosen = st.selectbox("Pipeline", sorted(specs()), key="pipeline", bind="query-params")
if chosen is None:
    st.info("No spec is known here; put one into ./pipelines.")
    st.stop()
try:
    spec = spec_of(chosen)
except ControlRoomError as error:
    st.error(f"{error} ({error.code})")
    st.stop()
names = [phase.name for phase in spec.phases]
st.caption(f"{count(len(names), 'phase')}: {', '.join(names[:6])}{'…' if len(names) > 6 else ''}")
form(chosen, spec)
