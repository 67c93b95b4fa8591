"""One pipeline: numbers, graph, history, what starts it, parameters, backfills, refreshes, promotion, versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import streamlit as st

from dashboard.actions.access import promote
from dashboard.components.gate import refreshed
from dashboard.components.render import render, section
from dashboard.components.said import done, refused, tell
from dashboard.data.source import asking
from dashboard.pipeline_parts.backfills import backfills
from dashboard.pipeline_parts.refreshes import refreshes
from dashboard.pipeline_parts.schedules import schedules
from dashboard.views.pipelines import (
    drawn,
    facts,
    history_bars,
    param_lines,
    phase_nodes,
)
from dashboard.views.spec_diff import DiffLine, changed, spec_diff
from ops.pipeline_reads import PipelineDetail, Pipelines, Promotion

BELOW = {"stage": "dev", "prod": "stage"}


@refreshed(5)
def live(detail: PipelineDetail) -> None:
    now = datetime.now(UTC)
    with asking() as connection:
        reading = Pipelines(connection)
        runs = reading.history(detail.project_id, detail.slug)
        promoted = reading.promoted(detail.project_id, detail.slug)
        states = reading.phase_states(runs[0].run_id) if runs else {}
    nodes = phase_nodes(detail.spec, states)
    address = urlencode({"pipeline": detail.slug, "project": f"{detail.org}/{detail.project}"})
    links = render("pipeline_links", runs=address if runs else "", start=address)
    bars = render("history", bars=history_bars(runs, now)) if runs else ""
    dag = render("dag", **picture) if (picture := drawn(nodes)) else ""
    st.html(
        render("pipeline_head", detail=detail, facts=facts(detail, runs, promoted, now))
        + section("Runs", bars + links)
        + section("Phases", dag + render("phase_list", nodes=nodes))
    )


def versions(detail: PipelineDetail) -> None:
    now = datetime.now(UTC)
    with asking() as connection:
        reading = Pipelines(connection)
        rows = reading.versions(detail.project_id, detail.slug)
        promoted = reading.promoted(detail.project_id, detail.slug)
        past = reading.promotions(detail.project_id, detail.slug)
        mine = reading.my_envs(detail.project_id, "editor")
    st.html(section("Promotion", render("promotions", rows=past, now_running=list(promoted.values()), now=now)))
    offer(detail, [row.version for row in rows], promoted, mine)
    st.html(section("Versions", render("versions", rows=rows, newest=detail.version, promoted=promoted, now=now)))
    if len(rows) > 1:
        difference(detail, [row.version for row in rows])


def offer(detail: PipelineDetail, numbers: list[int], promoted: Mapping[str, Promotion], mine: tuple[str, ...]) -> None:
    for env, column in zip(BELOW, st.columns([1, 1, 6]), strict=False):
        allowed = env in mine
        why = None if allowed else f"This needs the role editor in {env}; ask an admin of the project."
        if column.button(f"Promote to {env}…", key=f"promote_{env}", disabled=not allowed, help=why):
            ask(detail, numbers, env, promoted.get(env))
    if refused := [env for env in BELOW if env not in mine]:
        st.caption(f"You may not promote to {' or '.join(refused)}: this needs the role editor there.")


@st.dialog("Promote")
def ask(detail: PipelineDetail, numbers: list[int], env: str, now_running: Promotion | None) -> None:
    runs = f"version {now_running.version}" if now_running else "no version"
    st.write(
        f"{env} runs {runs} of {detail.slug} now. A version is let in that succeeded in {BELOW[env]} with its checks."
    )
    version = st.selectbox("Version", numbers, key="promoted_version")
    note = st.text_input("Why", key="promoted_why", placeholder="kept in the log")
    if version is not None and now_running and version != now_running.version:
        lines = compared(detail, now_running.version, version)
        st.caption(f"Against version {now_running.version}: {changed(lines)}.")
    if st.button("Promote", key="promote", type="primary") and version is not None:
        with refused():
            promote(detail.project_id, detail.slug, version, env, note)
            done(f"{env} runs version {version} of {detail.slug} from now on.")


def difference(detail: PipelineDetail, numbers: list[int]) -> None:
    left, right, _ = st.columns([1, 1, 6])
    before = left.selectbox("From version", numbers, index=1, key="from", bind="query-params")
    after = right.selectbox("to version", numbers, index=0, key="to", bind="query-params")
    if before is None or after is None:
        return
    lines = compared(detail, before, after)
    st.caption(f"{changed(lines)}." if lines else "The specs are the same: they came from different commits.")
    st.html(render("diff", lines=lines))


def compared(detail: PipelineDetail, before: int, after: int) -> list[DiffLine]:
    with asking() as connection:
        found = Pipelines(connection).specs(detail.project_id, detail.slug, [before, after])
    return spec_diff(found[before], found[after], (f"version {before}", f"version {after}"))


org, _, project = st.query_params.get("project", "").partition("/")
name = st.query_params.get("name", "")
if not name:
    st.info("No pipeline is named; choose one from Pipelines.")
    st.stop()
with asking() as connection:
    detail = Pipelines(connection).one(org, project, name)
tell()
live(detail)
schedules(detail)
st.html(section("Parameters", render("params", lines=param_lines(detail.spec))))
backfills(detail)
refreshes(detail)
versions(detail)
