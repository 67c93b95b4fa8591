"""The form of a backfill: partitions and parameters, below them what it would be, then the button."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import streamlit as st

from dashboard.actions.pipelines import plan_backfill, start_backfill
from dashboard.components.params import typed
from dashboard.components.said import keep
from dashboard.pipeline_parts.version import chosen
from dashboard.views.backfills import definition, listed, plan_lines
from ops.errors import ControlRoomError
from ops.pipeline_reads import PipelineDetail
from pipelines.params import bound
from pipelines.partition import Partition
from pipelines.spec import Param, Pipeline

# A click that is sent twice orders one backfill.
KEY = "backfill_key"


def ask_backfill(detail: PipelineDetail, envs: Sequence[str]) -> None:
    """Opens the form; ``envs`` are those that it may be ordered for."""
    st.session_state[KEY] = f"page-{uuid4().hex}"
    form(detail, envs)


@st.dialog("Backfill", width="medium")
def form(detail: PipelineDetail, envs: Sequence[str]) -> None:
    if (choice := chosen(detail, envs, "backfill")) is None:
        return
    env, found, of = choice
    try:
        spec = Pipeline.from_json(found.spec)
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
        return
    if spec.partition is None:
        st.info(f"Version {found.version}, which {env} runs, names no partition.")
        return
    wanted_partitions = partitions(spec.partition, spec.params[spec.partition.param])
    others = {name: param for name, param in spec.params.items() if name not in named(spec.partition)}
    given = typed(others, of)
    numbers = how(spec.partition)
    try:
        params = bound(spec.model_copy(update={"params": others}), given)
        wanted = definition(detail.slug, wanted_partitions, params, numbers)
        if wanted is None:
            st.caption("Say which partitions: what it would be is told here before it is ordered.")
            return
        plan = plan_backfill(detail.project_id, env, wanted)
    except ControlRoomError as error:
        st.warning(f"{error.message} ({error.code})")
        return
    for line in plan_lines(plan):
        st.write(line)
    if st.button("Start backfill", type="primary", key="start_backfill"):
        order(detail, env, wanted)


def named(partition: Partition) -> tuple[str, ...]:
    """The parameters that carry the partition."""
    return (partition.param, partition.until) if partition.until else (partition.param,)


def partitions(partition: Partition, param: Param) -> Sequence[date] | Sequence[str]:
    """Two dates, or values; nothing while they are not said."""
    if partition.step:
        first, last = st.columns(2)
        begin = first.date_input(f"First {partition.step}", None, key="backfill_first", format="YYYY-MM-DD")
        end = last.date_input(f"Last {partition.step}", None, key="backfill_last", format="YYYY-MM-DD")
        return [begin, end] if isinstance(begin, date) and isinstance(end, date) else []
    if param.choices:
        return st.multiselect(partition.param, param.choices, key="backfill_values")
    return listed(st.text_area(partition.param, key="backfill_values", placeholder="one a line") or "")


def how(partition: Partition) -> dict[str, int]:
    """How many runs at a time, and how large each is."""
    parallel, tries, chunk = st.columns(3)
    numbers = {
        "max_parallel": int(parallel.number_input("Runs at a time", 1, 100, 4, key="backfill_parallel")),
        "max_tries": int(tries.number_input("Tries of each", 1, 20, 3, key="backfill_tries")),
    }
    if partition.until:
        numbers["chunk_size"] = int(
            chunk.number_input(f"{partition.step}s a run".capitalize(), 1, 1000, 1, key="backfill_chunk")
        )
    return numbers


def order(detail: PipelineDetail, env: str, wanted: dict[str, Any]) -> None:
    try:
        made = start_backfill(detail.project_id, env, wanted, st.session_state[KEY])
    except ControlRoomError as error:
        st.error(f"{error.message} ({error.code})")
        return
    keep(f"Backfill {str(made.id)[-12:]} is ordered: {made.estimate.runs:,} runs in {env}.")
    place = {"project": f"{detail.org}/{detail.project}", "name": detail.slug}
    if place.items() <= dict(st.query_params).items():
        st.rerun()
    st.switch_page("app_pages/pipeline.py", query_params=place)
