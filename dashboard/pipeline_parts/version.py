"""For which environment a form is filled in, and which version of the pipeline that is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.data.definitions import promoted_in
from ops.pipeline_reads import PipelineDetail


def chosen(detail: PipelineDetail, envs: Sequence[str], form: str) -> tuple[str, PipelineDetail, str] | None:
    """The environment, what it runs, and a word for the two that no other form has; None, and said so, where it runs none.

    Args:
        envs: those that the person may choose.
        form: what keys of the form begin with.
    """
    env = st.selectbox("Environment", envs, key=f"{form}_env") or envs[0]
    found = promoted_in(detail, env)
    if found is None:
        st.info(f"{env} runs no version of it yet; promote one first.")
        return None
    return env, found, f"{form}/{detail.project_id}/{detail.slug}/{env}/{found.version}"
