"""Runs: how many are in which state, and a page of those that a filter leaves, refreshed while one looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.actions.runs import cancel_all, retry_all
from dashboard.components.gate import refreshed
from dashboard.components.paging import begin, place, turn
from dashboard.components.render import render
from dashboard.components.said import in_sight
from dashboard.data.shared import shared
from dashboard.data.source import asking, reach, reads, settings
from dashboard.views import zone
from dashboard.views.bulk import Preview, cancel_preview, retry_preview
from dashboard.views.filters import AGES, ANY, Chosen, Position, address_of, position, with_zone
from dashboard.views.runs import TILES, run_lines, tiles
from ops.access_reads import Access, MyProject
from ops.database import Connection
from ops.errors import BadInput
from ops.model import Trigger
from ops.pipeline_reads import Pipelines
from ops.reads import Reads
from ops.run_filter import RunFilter
from ops.tenancy import Tenancy
from ops.views import RunRow

PAGE_ROWS = 50
# In the choice; runs of further ones are found by words.
PIPELINES = 1000
ENVS = ("dev", "stage", "prod")
PLACE = "before"
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
            "executor": st.text_input("Executor id", key="executor", bind="query-params", on_change=first_page),
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


def behind(chosen: Chosen) -> Position | None:
    """Which run the page begins behind."""
    return position(place(PLACE, chosen))


def page_of(source: Reads, wanted: RunFilter, before: Position | None) -> tuple[list[RunRow], str | None]:
    """A page, and where the next one begins."""
    rows = source.list_runs(wanted, PAGE_ROWS + 1, before)
    page = rows[:PAGE_ROWS]
    return page, address_of((page[-1].created_at, page[-1].run_id)) if len(rows) > PAGE_ROWS else None


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


def selection(chosen: Chosen) -> None:
    """The same page to choose from. It stands still: a choice must not move under the hand."""
    before = behind(chosen)
    rows, then = page_of(reads(), chosen.wanted(datetime.now(UTC)), before)
    lines = run_lines(rows, datetime.now(UTC))
    shown = pl.DataFrame(
        {
            "run": [line.run_id[-12:] for line in lines],
            "pipeline": [line.pipeline for line in lines],
            "status": [line.status for line in lines],
            "where": [line.where for line in lines],
            "created": [line.created for line in lines],
            "phase or error": [line.doing for line in lines],
        }
    )
    picked = st.dataframe(shown, key="chosen", on_select="rerun", selection_mode="multi-row", hide_index=True)
    marked = [rows[number] for number in picked["selection"]["rows"] if number < len(rows)]
    cancel, retry, _ = st.columns([1, 1, 8])
    if cancel.button("Cancel…", key="cancel_all", disabled=not marked):
        ask("Cancel", cancel_preview(marked, roles()))
    if retry.button("Retry…", key="retry_all", disabled=not marked):
        ask("Retry", retry_preview(marked, roles()))
    turn(PLACE, chosen, then)


def roles() -> list[MyProject]:
    with asking() as connection:
        return Access(connection).my_roles()


@st.dialog("Before it is done")
def ask(what: str, preview: Preview) -> None:
    for line in preview.lines:
        st.write(line)
    if st.button(what, key="do_all", type="primary", disabled=not preview.rows):
        done = (cancel_all if what == "Cancel" else retry_all)([row.run_id for row in preview.rows])
        st.session_state["done"] = done
        st.rerun()


st.title("Runs")
above = st.empty()
chosen = filters()
if done := st.session_state.pop("done", None):
    told = in_sight()
    (told.warning if done.refused else told.success)(done.said)
try:
    chosen.wanted(datetime.now(UTC))
except BadInput as error:
    st.warning(error.message)
    st.stop()
if st.toggle("Choose runs to cancel or retry", key="choosing"):
    refreshed(2)(overview)(above)
    selection(chosen)
else:
    listing(chosen, above)
