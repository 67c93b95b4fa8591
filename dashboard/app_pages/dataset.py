"""One table: numbers, where it comes from and goes to, columns, a look at its rows, versions and the runs that wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import streamlit as st

from dashboard.actions.queries import ask
from dashboard.components.gate import refreshed
from dashboard.components.paging import place, turn
from dashboard.components.render import faint, render, section
from dashboard.components.said import refused
from dashboard.data.source import asking
from dashboard.views.charts import rows_over_time, version_frame
from dashboard.views.datasets import changes, column_lines, facts, readable, row_sources, steps_down, steps_up
from dashboard.views.lineage import may_go_on, of_column, of_table, words
from dashboard.views.queries import look_at
from ops.dataset_reads import DatasetDetail, Datasets
from ops.model import Scope
from ops.tenancy import Tenancy

PAGE_ROWS = 100
PLACE = "before"
# Steps to either side, and in all: what is further away is nobody's next click.
FAR, MOST = 10, 300
WHOLE = "the whole table"


@refreshed(5)
def live(dataset_id: UUID) -> None:
    with asking() as connection:
        reading = Datasets(connection)
        detail, newest = reading.one(dataset_id), reading.versions(dataset_id, limit=1)
        up, down = reading.made_from(dataset_id), reading.goes_into(dataset_id)
    now = datetime.now(UTC)
    head = render("dataset_head", detail=detail, facts=facts(detail, newest[0] if newest else None, now))
    st.html(head + section("Lineage", render("lineage", up=steps_up(up), table=detail.table, down=steps_down(down))))


def lineage(detail: DatasetDetail, types: Mapping[str, str]) -> None:
    """All steps, on demand: most people ask for the next one, which stands above."""
    if not st.toggle("All steps of the lineage", key="graph", bind="query-params"):
        return
    column = st.selectbox("Of", [WHOLE, *sorted(types)], key="column", bind="query-params")
    with asking() as connection:
        reading = Datasets(connection)
        if column in (None, WHOLE):
            tables = reading.graph(detail.dataset_id, FAR, MOST)
            found = of_table(tables, detail.table, may_go_on(tables, FAR, MOST))
        else:
            steps = reading.column_graph(detail.dataset_id, column, FAR, MOST)
            found = of_column(steps, detail.table, column, may_go_on(steps, FAR, MOST))
    said = words(found)
    st.html(render("lineage_graph", lineage=found) + (faint(said) if said else ""))


def columns(detail: DatasetDetail, types: Mapping[str, str]) -> None:
    """What is in it: the columns, and the rows, which a question shows that an executor carries out."""
    with asking() as connection:
        reading = Datasets(connection)
        notes, sources = reading.notes(detail.dataset_id), reading.column_sources(detail.dataset_id)
    lines = column_lines(types, notes, sources)
    drawn = section("Columns", render("columns", lines=lines, rows_from=row_sources(sources)))
    if detail.version is None:
        st.html(drawn + section("Look inside", faint("Readers get it when a run that wrote it has succeeded.")))
        return
    asked = f'controlroom sql "select * from {detail.table}" --env {detail.env}'  # noqa: S608 - shown, not sent
    how = faint("The rows that readers get; “look” below asks another version.") + render("command", text=asked)
    st.html(drawn + section("Look inside", how))
    # A button and no field for the version: that takes a script of its own, on a page that is to be there at once.
    if st.button(f"Show the rows of version {detail.version}", key="look"):
        with refused():
            sql = look_at(f"{detail.table}@v{detail.version}")
            run_id = ask(Scope(detail.org, detail.project, detail.env), sql, {})
            st.switch_page("app_pages/sql.py", query_params={"run": str(run_id)})


def versions(detail: DatasetDetail, before: int | None) -> None:
    with asking() as connection:
        rows = Datasets(connection).versions(detail.dataset_id, before, PAGE_ROWS + 1)
    shown, now = rows[:PAGE_ROWS], datetime.now(UTC)
    if len(shown) > 1:
        st.html(section("Rows over time"))
        st.altair_chart(rows_over_time(version_frame(shown)))
    drawn = render(
        "dataset_versions",
        rows=shown,
        changes=changes(shown),
        readable=readable(shown, detail.version),
        detail=detail,
        now=now,
    )
    st.html(section("Versions", drawn))
    turn(PLACE, detail.dataset_id, str(shown[-1].version) if len(rows) > PAGE_ROWS else None)


def named() -> UUID | None:
    """The table that the address names: by its id, or as ``project``, ``env`` and ``table``, as other pages link to it."""
    where = st.query_params
    if "table" in where:
        org, _, project = where.get("project", "").partition("/")
        with asking() as connection:
            return Tenancy(connection).dataset_id(org, project, where.get("env", ""), where["table"])
    try:
        return UUID(where.get("id", ""))
    except ValueError:
        return None


dataset_id = named()
if dataset_id is None:
    st.info("No table is named; choose one from Data.")
    st.stop()
with asking() as connection:
    detail = Datasets(connection).one(dataset_id)
    newest = Datasets(connection).versions(dataset_id, limit=1)
types = newest[0].columns if newest else {}
before = place(PLACE, dataset_id) or ""
live(dataset_id)
lineage(detail, types)
columns(detail, types)
versions(detail, int(before) if re.fullmatch(r"\d{1,18}", before) else None)
