"""Where SQL is written: the place that it asks, the tables that there are, the text, the button."""

from __future__ import annotations

import streamlit as st

from dashboard.actions.queries import ask
from dashboard.components.render import render
from dashboard.data.source import asking, settings
from dashboard.views.queries import first_question, look_at, phase_named, run_named, tables_by_layer
from ops.access_reads import Access, MyProject
from ops.errors import ControlRoomError
from ops.model import Scope
from ops.query_reads import AskedQuestion, LakeTable, QueryPage
from ops.tenancy import ENVS
from pipelines.params import named
from pipelines.sandbox.job import EMBEDDED
from pipelines.sandbox.servers.address import POSTGRES, TRINO

EXAMPLE = "select … from gold.x, gold.x@v12 or gold.x@2026-11-01"
ENGINES = {EMBEDDED: "the lake", POSTGRES: "Postgres", TRINO: "Trino"}
TEXT, PARAMS, LOADED = "sql_text", "sql_params", "sql_loaded"


def place(question: AskedQuestion | None) -> Scope | None:
    """Where is asked: as the address says, or where the question that it names was asked; None where one belongs nowhere."""
    with asking() as connection:
        mine = {f"{row.org}/{row.project}": row for row in Access(connection).my_roles()}
    if not mine:
        return None
    if question is not None and (st.session_state.get(LOADED) != question.run_id or TEXT not in st.session_state):
        load(question, mine)
    home = f"{settings().org}/{settings().project}"
    projects, envs, _ = st.columns([2, 1, 4])
    begin("project", home, list(mine))
    project = projects.selectbox("Project", list(mine), key="project", bind="query-params") or next(iter(mine))
    here = [env for env in ENVS if env in mine[project].roles]
    begin("env", settings().env, here)
    env = envs.selectbox("Environment", here, key="env", bind="query-params") or here[0]
    org, _, slug = project.partition("/")
    return Scope(org, slug, env)


def begin(key: str, usual: str, options: list[str]) -> None:
    """What stands in a field that neither the address nor anybody has filled; what is no choice any more is taken out."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]
    if key not in st.session_state and key not in st.query_params and usual in options:
        st.session_state[key] = usual


def load(question: AskedQuestion, mine: dict[str, MyProject]) -> None:
    """A link is a view: its question stands in the editor, in its place."""
    st.session_state[LOADED] = question.run_id
    st.session_state.pop("answer_first", None)
    st.session_state[TEXT] = question.sql
    st.session_state["engine"] = question.engine
    st.session_state[PARAMS] = " ".join(f"{name}={value}" for name, value in question.params.items())
    if f"{question.org}/{question.project}" in mine:
        st.session_state["project"] = f"{question.org}/{question.project}"
        st.session_state["env"] = question.env


def tables(scope: Scope) -> list[LakeTable]:
    """By layer, each with its columns to hand."""
    with asking() as connection:
        rows = QueryPage(connection).tables(scope)
        editor = scope.env in _editor_envs(Access(connection).my_roles(), scope)
    st.html(render("lake_tables", layers=tables_by_layer(rows)))
    if not editor and any(row.personal for row in rows):
        st.caption(
            "Columns marked personal are or may be personal data: they read as null for you. It takes the role editor to "
            "see them."
        )
    return rows


def _editor_envs(mine: list[MyProject], scope: Scope) -> set[str]:
    return {
        env
        for row in mine
        if (row.org, row.project) == (scope.org, scope.project)
        for env, role in row.roles.items()
        if role in ("editor", "admin")
    }


def asked_engine(scope: Scope) -> str:
    """Editors choose between the lake and the environment's servers; others ask the lake."""
    with asking() as connection:
        if scope.env not in _editor_envs(Access(connection).my_roles(), scope):
            return EMBEDDED
    begin("engine", EMBEDDED, list(ENGINES))
    return (
        st.selectbox(
            "Engine",
            list(ENGINES),
            format_func=lambda name: ENGINES[name],
            key="engine",
            bind="query-params",
            width=180,
            help="A server shows what its login may read; the answer is for editors.",
        )
        or EMBEDDED
    )


def editor(scope: Scope, rows: list[LakeTable]) -> None:
    """The form; Ctrl+Enter in the text runs it."""
    asked = st.query_params
    table, rows_of = asked.get("table", ""), (run_named(asked.get("run_rows")), phase_named(asked.get("phase_rows")))
    if table and st.session_state.get(LOADED) != (table, *rows_of):
        st.session_state[LOADED], st.session_state[TEXT] = (table, *rows_of), look_at(table, *rows_of)
    elif TEXT not in st.session_state:
        st.session_state[TEXT] = first_question(rows)
    engine = asked_engine(scope)
    example = EXAMPLE if engine == EMBEDDED else f"a select over tables of the server ({ENGINES[engine]})"
    with st.form("question", border=False):
        sql = st.text_area("SQL", key=TEXT, height=200, persist_state="session", placeholder=example)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            params = st.text_input(
                "Parameters",
                key=PARAMS,
                persist_state="session",
                placeholder="name=value …",
                help="Columns of the one row of a table `params`.",
            )
            submitted = st.form_submit_button("Run", type="primary", key="run_question", help="Ctrl+Enter")
    if not submitted:
        return
    try:
        run_id = ask(scope, sql or "", named((params or "").split()), engine)
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
        return
    st.session_state[LOADED] = run_id
    st.session_state.pop("answer_first", None)
    for shown in ("table", "run_rows", "phase_rows"):
        st.query_params.pop(shown, None)
    st.query_params["run"] = str(run_id)
    st.rerun()
