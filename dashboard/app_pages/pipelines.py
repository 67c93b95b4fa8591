"""Pipelines: whose they are, how their latest runs went, what stage and prod run, what starts them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.paging import begin, place, turn
from dashboard.components.render import render
from dashboard.data.shared import shared
from dashboard.data.source import asking
from dashboard.views.filters import ANY
from dashboard.views.pipelines import pipeline_lines
from ops.database import Connection
from ops.pipeline_reads import Pipelines
from ops.tenancy import Tenancy

PAGE_ROWS = 50
PLACE = "after"
first_page = partial(begin, PLACE)


def filters() -> tuple[str, str | None]:
    with asking() as connection:
        projects = [f"{row.org}/{row.project}" for row in Tenancy(connection).projects()]
    words, where, _ = st.columns([3, 2, 5])
    text = words.text_input("Name", key="text", placeholder="part of a name", bind="query-params", on_change=first_page)
    within = where.selectbox("Project", [ANY, *projects], key="project", bind="query-params", on_change=first_page)
    return (text or "").strip(), None if within in (None, ANY) else within


def begins(address: str | None) -> tuple[str, ...]:
    """Org, project and name that the page begins after; of what is no place: the beginning."""
    parts = tuple((address or "").split("/"))
    return parts if len(parts) == 3 else ("", "", "")


@refreshed(10)
def listing(text: str, within: str | None) -> None:
    after = begins(place(PLACE, (text, within)))

    def look(connection: Connection) -> tuple[str, str | None]:
        rows = Pipelines(connection).page(text, within, after, PAGE_ROWS + 1)
        page, narrow = rows[:PAGE_ROWS], bool(text or within or any(after))
        then = f"{page[-1].org}/{page[-1].project}/{page[-1].slug}" if len(rows) > PAGE_ROWS else None
        return render("pipelines", lines=pipeline_lines(page, datetime.now(UTC)), narrow=narrow), then

    drawn, then = shared("pipelines", (text, within, after), look)
    st.html(drawn)
    turn(PLACE, (text, within), then, "First", "More")


st.title("Pipelines")
listing(*filters())
