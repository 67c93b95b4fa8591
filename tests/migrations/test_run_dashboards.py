"""The dashboards that stand on what a run wrote: of its own project and environment, and for those who see that."""

from __future__ import annotations

from uuid import UUID

import pytest

from ops.bi import Bi, BiObject
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.model import RunId
from ops.rpc import Rpc
from ops.run_reads import RunPages
from ops.tenancy import Tenancy
from tests.migrations.acting import BOSS, GUEST, MATE
from tests.operating import PHASES, SPEC

PLACES = {("acme", "books", "dev"): 10, ("acme", "books", "stage"): 20, ("rivals", "books", "dev"): 30}
TABLES = ["gold.revenue", "silver.sales", "gold.never_published"]


def published(connection: Connection, org: str, project: str, env: str, first: int) -> UUID:
    """The project, with gold.revenue and gold.costs published from the environment; its dashboards' ids begin at ``first``."""
    project_id = Rpc(connection).ensure_project(org, project)
    objects = []
    for number, name in enumerate(("revenue", "costs")):
        row = connection.execute(
            "insert into ops.datasets (project_id, env, layer, name) values (%s, %s, 'gold', %s) returning id",
            [project_id, env, name],
        ).fetchone()
        assert row is not None
        objects += [
            BiObject("dataset", name, None, 100 + first + number, "d", row[0]),
            BiObject("chart", name, None, 200 + first + number, "d"),
            BiObject("dashboard", name, None, first + number, "d"),
        ]
    Bi(connection).record(project_id, env, objects)
    return project_id


@pytest.fixture
def run(acme: Connection) -> RunId:
    """A run in dev of acme/books; every place has published tables of the same names."""
    projects = {place: published(acme, *place, first) for place, first in PLACES.items()}
    Tenancy(acme).set_member("acme", "books", MATE, "viewer", ["stage"])
    return Rpc(acme).create_run(
        projects["acme", "books", "dev"], env="dev", pipeline="demo", spec=SPEC, spec_sha256="5" * 64, git_sha="a" * 40,
        phases=PHASES,
    )  # fmt: skip


def test_a_run_leads_to_the_dashboards_of_its_own_place(acme: Connection, run: RunId) -> None:
    with acting_as(acme, AUTHENTICATED, {"sub": BOSS}) as boss:
        [found] = RunPages(boss).dashboards(run, TABLES)
        assert (found.name, found.table, found.superset_id) == ("revenue", "gold.revenue", 10)
        both = RunPages(boss).dashboards(run, [*TABLES, "gold.costs"])
        assert [each.superset_id for each in both] == [11, 10]
        assert RunPages(boss).dashboards(run, []) == []


def test_who_does_not_see_the_environment_sees_no_dashboard_of_it(acme: Connection, run: RunId) -> None:
    for stranger in (MATE, GUEST):
        with acting_as(acme, AUTHENTICATED, {"sub": stranger}) as asking:
            assert RunPages(asking).dashboards(run, TABLES) == []


def test_a_dashboard_is_as_new_as_what_it_is_drawn_from(acme: Connection, run: RunId) -> None:
    days = {"dashboard": "2026-01-01", "dataset": "2026-01-02"}
    for kind, day in days.items():
        acme.execute("update ops.bi_objects set published_at = %s where kind = %s", [f"{day} 12:00+00", kind])
    with acting_as(acme, AUTHENTICATED, {"sub": BOSS}) as boss:
        [found] = RunPages(boss).dashboards(run, TABLES)
    assert (found.published_at.month, found.published_at.day) == (1, 2)
