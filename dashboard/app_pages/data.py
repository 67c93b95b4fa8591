"""Data: the lake's tables by layer, how many rows readers get, how fresh they are, which run made them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.paging import begin, place, turn
from dashboard.components.render import render
from dashboard.data.source import asking
from dashboard.views.datasets import begins, by_layer
from dashboard.views.filters import ANY
from ops.dataset_reads import BEGINNING, Datasets
from ops.tenancy import ENVS, Tenancy

PAGE_ROWS = 50
PLACE = "after"
first_page = partial(begin, PLACE)


def filters() -> dict[str, Any]:
    with asking() as connection:
        projects = [f"{row.org}/{row.project}" for row in Tenancy(connection).projects()]
        layers = Datasets(connection).layers()
    words, kinds, where, stage = st.columns([3, 4, 2, 1], vertical_alignment="bottom")
    text = words.text_input(
        "Table", key="text", placeholder="part of a name", bind="query-params", on_change=first_page
    )
    chosen = kinds.pills(
        "Layer", layers, selection_mode="multi", key="layer", bind="query-params", on_change=first_page
    )
    within = where.selectbox("Project", [ANY, *projects], key="project", bind="query-params", on_change=first_page)
    env = stage.selectbox("Environment", [ANY, *ENVS], key="env", bind="query-params", on_change=first_page)
    return {
        "text": (text or "").strip(),
        "layers": chosen or None,
        "within": None if within in (None, ANY) else within,
        "env": None if env in (None, ANY) else env,
    }


@refreshed(10)
def listing(wanted: Mapping[str, Any]) -> None:
    after = begins(place(PLACE, wanted))
    with asking() as connection:
        rows = Datasets(connection).page(**wanted, after=after, limit=PAGE_ROWS + 1)
    page, further = rows[:PAGE_ROWS], after != BEGINNING
    st.html(render("datasets", layers=by_layer(page, datetime.now(UTC)), narrow=any(wanted.values()) or further))
    then = f"{page[-1].layer}/{page[-1].name}/{page[-1].dataset_id}" if len(rows) > PAGE_ROWS else None
    turn(PLACE, wanted, then, "First", "More")


st.title("Data")
listing(filters())
