"""The form of a full refresh: where, on which parameters, whether it may swap itself in; below them what it would build."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.actions.pipelines import start_refresh
from dashboard.components.params import typed
from dashboard.components.said import done, refused
from dashboard.pipeline_parts.version import chosen
from dashboard.views.refreshes import order_lines
from ops.errors import ControlRoomError
from ops.pipeline_reads import PipelineDetail
from pipelines.refresh_order import order, tolerance
from pipelines.spec import Pipeline

SHARE = "such as 1%; 0% swaps in only what is the same"


@st.dialog("Full refresh", width="medium")
def ask_refresh(detail: PipelineDetail, envs: Sequence[str]) -> None:
    """``envs`` are those that it may be started in."""
    if (choice := chosen(detail, envs, "refresh")) is None:
        return
    env, found, of = choice
    try:
        spec = Pipeline.from_json(found.spec)
        wanted = order(spec, found.git_sha, typed(spec.params, of))
        within = alone()
    except ControlRoomError as error:
        st.warning(f"{error.message} ({error.code})")
        return
    note = st.text_input("Why", key="refresh_why", placeholder="kept in the audit log") or ""
    for line in order_lines(env, found.version, wanted, within):
        st.write(line)
    if st.button("Start refresh", type="primary", key="start_refresh"):
        with refused():
            start_refresh(detail.project_id, env, wanted, within, note)
            done(f"A refresh of {detail.slug} is queued in {env}; readers see nothing of it before it is swapped in.")


def alone() -> dict[str, float] | None:
    """The shares within which it swaps itself in; None: never. Raises BadInput: what was typed is no share."""
    if not st.toggle("Swap in without asking where little differs", key="refresh_alone"):
        return None
    rows, sums = st.columns(2)
    return tolerance(
        rows=rows.text_input("Rows differ by at most", "0%", key="refresh_rows", help=SHARE),
        sums=sums.text_input("Each sum differs by at most", "0%", key="refresh_sums", help=SHARE),
    )
