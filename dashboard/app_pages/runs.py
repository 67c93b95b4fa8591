"""Runs: how many are in which state, and a page of those that a filter leaves, refreshed while one looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.gate import refreshed
from dashboard.components.paging import begin, place, turn
from dashboard.components.render import render
from dashboard.components.said import in_sight
from dashboard.data.shared import shared
from dashboard.data.source import asking, reach, settings
from dashboard.run_parts.choose import PLACE, came_of_it, choose, let_go, page_of
from dashboard.views import zone
from dashboard.views.filters import AGES, ANY, Chosen, Position, id_named, position, with_zone
from dashboard.views.runs import TILES, run_lines, tiles
from ops.database import Connection
from ops.errors import BadInput, NotFound
from ops.fleet_reads import Fleet
from ops.model import Trigger
from ops.pipeline_reads import Pipelines
from ops.reads import Reads
from ops.tenancy import Tenancy

# In the choice; runs of further ones are found by words.
PIPELINES = 1000
ENVS = ("dev", "stage", "prod")
first_page = partial(begin, PLACE)


def states(connection: Connection) -> str:
    fresh = datetime.now(UTC) - timedelta(seconds=settings().lease_seconds)
    source = Reads(connection)
    return render("tiles", tiles=tiles(source.status_counts(), source.executors(fresh)))


def overview(place: DeltaGenerator, seen: str | None = None) -> None:
    place.html(shared("states", None, states, seen))


def filters() -> Chosen:
    """The widgets; each has its place in the address, so that a link is a view."""
    with asking() as connection:
        pipelines = sorted({row.slug for row in Pipelines(connection).names(PIPELINES)})
        projects = [f"{row.org}/{row.project}" for row in Tenancy(connection).projects()]
    text, states, pipeline, more = st.columns([3, 4, 2, 1], vertical_alignment="bottom")
    with more.popover("More", width="stretch"):
        rest = {
            "project": st.selectbox(
                "Project", [ANY, *projects], key="project", bind="query-params", on_change=first_page
            ),
            "env": st.selectbox("Environment", [ANY, *ENVS], key="env", bind="query-params", on_change=first_page),
            "age": st.selectbox("Created", list(AGES), key="age", bind="query-params", on_change=first_page),
            **{name: _moment(label, name) for label, name in (("From", "since"), ("Before", "until"))},
            "tag": st.text_input(
                "Tags", key="tag", placeholder="name=value …", bind="query-params", on_change=first_page
            ),
            "executor": st.text_input(
                "Executor",
                key="executor",
                placeholder="name, or an id's end",
                bind="query-params",
                on_change=first_page,
            ),
        }
        triggers = st.multiselect("Trigger", list(Trigger), key="trigger", bind="query-params", on_change=first_page)
    return Chosen(
        text.text_input(
            "Words", key="text", placeholder="words of pipeline, error, tags", bind="query-params", on_change=first_page
        ) or "",
        tuple(states.pills(
            "State", list(TILES), selection_mode="multi", key="status", bind="query-params", on_change=first_page
        )),
        pipeline.selectbox("Pipeline", [ANY, *pipelines], key="pipeline", bind="query-params", on_change=first_page) or ANY,
        triggers=tuple(triggers),
        **{name: value or "" for name, value in rest.items()},
    )  # fmt: skip


def _moment(label: str, key: str) -> str:
    """Text and not a calendar: that takes a script of its own, on a page that is to be there at once."""

    def typed() -> None:
        st.session_state[key] = with_zone(st.session_state.get(key) or "", zone.named(st.context.timezone))
        first_page()

    hint = "2026-01-31 14:00, in your zone"
    return st.text_input(label, key=key, placeholder=hint, bind="query-params", on_change=typed) or ""


def known(chosen: Chosen) -> Chosen:
    """An executor that is named is meant by its id.

    Raises:
        NotFound: of the last day none is called so.
    """
    named = chosen.executor.strip()
    if not named or id_named(named):
        return chosen
    with asking() as connection:
        return replace(chosen, executor=str(Fleet(connection).latest(named).executor_id))


def behind(chosen: Chosen) -> Position | None:
    """Which run the page begins behind."""
    return position(place(PLACE, chosen))


@refreshed(2)
def listing(chosen: Chosen, above: DeltaGenerator) -> None:
    """The page, and the numbers that stand above the fields: in one fragment, as each is a rerun of its own."""

    def lines(connection: Connection) -> tuple[str, str | None]:
        rows, then = page_of(Reads(connection), chosen.wanted(datetime.now(UTC)), before)
        narrow = chosen.narrow or before is not None
        return render("runs", lines=run_lines(rows, datetime.now(UTC)), narrow=narrow), then

    before, seen = behind(chosen), reach()
    overview(above, seen)
    drawn, then = shared("runs", (chosen, before), lines, seen)
    st.html(drawn)
    turn(PLACE, chosen, then)


st.title("Runs")
above = st.empty()
chosen = filters()
if done := came_of_it():
    told = in_sight()
    (told.warning if done.refused else told.success)(done.said)
try:
    chosen = known(chosen)
    chosen.wanted(datetime.now(UTC))
except (BadInput, NotFound) as error:
    st.warning(error.message)
    st.stop()
if st.toggle("Choose runs to cancel or retry", key="choosing"):
    refreshed(2)(overview)(above)
    choose(chosen)
else:
    let_go()
    listing(chosen, above)
