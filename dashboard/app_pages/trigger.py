"""Start a run: a pipeline, its parameters as the spec types them, an environment."""

from __future__ import annotations

import streamlit as st

from dashboard.actions.runs import start
from dashboard.components.params import typed
from dashboard.components.render import faint
from dashboard.data.definitions import Definition, definition, home
from dashboard.data.source import asking, reads, settings
from dashboard.views.words import count
from ops.errors import ControlRoomError
from ops.pipeline_reads import Pipelines
from ops.tenancy import ENVS, Tenancy
from pipelines.catalogue import specs

# In the choice of one project.
PIPELINES = 1000


def places() -> dict[str, set[str]]:
    """Projects, and the pipelines of each: those that are registered, and here those of the specs on this machine."""
    found: dict[str, set[str]] = {home(): set(specs())}
    with asking() as connection:
        for row in Tenancy(connection).projects():
            found.setdefault(f"{row.org}/{row.project}", set())
        for name in Pipelines(connection).names(PIPELINES):
            found.setdefault(f"{name.org}/{name.project}", set()).add(name.slug)
    return found


def chosen() -> tuple[str, str] | None:
    """Project and pipeline."""
    known = places()
    left, right = st.columns([2, 3])
    names = sorted(known)
    place = left.selectbox("Project", names, names.index(home()), key="project", bind="query-params") or home()
    slug = right.selectbox("Pipeline", sorted(known[place]), key="pipeline", bind="query-params")
    return (place, slug) if slug else None


def form(place: str, slug: str, env: str, found: Definition) -> None:
    org, _, project = place.partition("/")
    project_id = reads().project_id(org, project)
    with asking() as connection:
        able = env in Pipelines(connection).my_envs(project_id, "operator")
    why = None if able else f"This needs the role operator in {env}; ask an admin of the project."
    of = f"{place}/{slug}/{env}/{found.sha256}"
    with st.form(f"start_{of}"):
        given = typed(found.spec.params, of)
        priority = st.number_input("Priority (lower goes first)", value=100, step=10, key="priority")
        submitted = st.form_submit_button("Start run", type="primary", key="start", disabled=not able, help=why)
    if submitted:
        try:
            run_id = start(project_id, env, found, given, int(priority))
        except ControlRoomError as error:
            st.error(f"{error} ({error.code})")
            return
        st.switch_page("app_pages/run.py", query_params={"id": str(run_id)})


def offer(place: str, slug: str) -> None:
    usual = settings().env
    env = st.selectbox("Environment", ENVS, index=ENVS.index(usual), key="env", bind="query-params") or usual
    try:
        found = definition(place, slug, env)
        if found is None:
            st.info(f"{env} runs no version of {slug} yet; promote one on the pipeline's page first.")
            return
        names = [phase.name for phase in found.spec.phases]
        more = "…" if len(names) > 6 else ""
        st.html(faint(f"{slug}, {found.said}: {count(len(names), 'phase')}: {', '.join(names[:6])}{more}"))
        form(place, slug, env, found)
    except ControlRoomError as error:
        st.error(f"{error} ({error.code})")


st.title("Start a run")
if pair := chosen():
    offer(*pair)
else:
    st.info("No pipeline is known here; put a spec into ./pipelines, or run one from the command line.")
