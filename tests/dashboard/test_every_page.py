"""Every page, in both themes and as each role, with nothing in it and with something: it is drawn, without a complaint, from
here alone, and so that everybody can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import polars as pl
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ops.backfills import Backfills
from ops.catalog import Catalog
from ops.embedded import Cluster
from ops.model import LeaseToken, RunId, Scope
from ops.warehouse import Question, Warehouse
from tests.dashboard.answering import answered
from tests.dashboard.conftest import Served, Watched, serve
from tests.dashboard.eventful import RUN, eventful, good
from tests.dashboard.people import as_role
from tests.dashboard.pictures import comparable, compared
from tests.dashboard.test_browser import HOSTILE
from tests.dashboard.test_data_pages import wrote
from tests.dashboard.test_pipelines_page import FIRST, PHASES, SECOND
from tests.dashboard.test_run_again import DAILY_PHASES, DAILY_RUN
from tests.operating import commit
from tests.postgres import Databases

DRAWN = "[data-testid='stApp'][data-test-script-state='notRunning']"
SERIOUS = ("serious", "critical")
# Where → the heading that it has.
PAGES = {
    "": "Home",
    "runs": "Runs",
    "pipelines": "Pipelines",
    "data": "Data",
    "fleet": "Fleet",
    "trigger": "Start a run",
    "alerts": "Alerts",
    "alerts?part=Messages": "Alerts",
    "alerts?part=Rules": "Alerts",
    "alerts?part=Routing": "Alerts",
    "alerts?part=Silences": "Alerts",
    "scores": "Scores",
    "caps": "Caps",
    "caps?part=Pools": "Caps",
    "caps?part=Prices": "Caps",
    "sql": "SQL",
    "coverage": "Coverage",
    "settings": "Settings",
    "settings?part=My+tokens": "Settings",
    "settings?part=Projects": "Settings",
    "settings?part=Secrets": "Settings",
    "settings?part=Promotions": "Settings",
    "settings?part=Audit+log": "Settings",
}
# Where → what is said there when nothing has happened.
EMPTY = {
    "runs": "No runs here yet.",
    "pipelines": "No pipeline is known here yet.",
    "data": "The lake has no table yet.",
    "scores": "No run of any pipeline has a score yet.",
    "caps": "nothing is limited",
    "caps?part=Pools": "No pool is set",
    "caps?part=Prices": "No price is set",
    "sql": "Readers get no table in this environment yet.",
    "alerts": "Nothing is wrong that a rule looks for.",
    "settings?part=My+tokens": "You have no token.",
    "settings?part=Promotions": "Nothing was promoted yet.",
}
# Pages of which more than a screen is on the picture.
LONG = ("run", "failed", "pipeline")
# Picture → the page that it shows; those of times alone, and of what these tests do themselves, are left out.
LOOKS = {
    "home": "",
    "runs": "runs",
    "pipelines": "pipelines",
    "pipeline": f"pipeline?project={quote('default/demo', '')}&name=orders",
    "data": "data",
    "fleet": "fleet",
    "alerts": "alerts",
    "routing": "alerts?part=Routing",
    "scores": "scores",
    "caps": "caps",
    "pools": "caps?part=Pools",
    "coverage": "coverage",
    "settings": "settings",
    "trigger": "trigger",
    "sql": "sql",
}


@dataclass(frozen=True)
class World:
    """Two control rooms: one in which nothing has happened, one in which something has, ``pages`` of it included; ``looks``
    are those that there are pictures of."""

    empty: Served
    full: Served
    pages: dict[str, str]
    looks: dict[str, str]
    at_work: dict[RunId, LeaseToken]

    def alive(self) -> None:
        """Its executor is at work, as it was in the beginning: else every later look would see it fall silent."""
        operator = self.full.operator
        [state] = operator.executor.heartbeat_runs(operator.executor_id, self.at_work, 3600.0)
        assert state.held


@pytest.fixture(scope="module")
def empty(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with databases.clone(template) as url:
        yield from serve(cluster, url, tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="module")
def world(empty: Served, served: Served) -> World:
    operator = served.operator
    operator.succeeded(PHASES, **FIRST)
    operator.queue(None, **SECOND, phases=PHASES, tags={"said": HOSTILE})
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", HOSTILE)
    operator.owner.compute_run_score(run.run_id)
    wrote(operator, commit(table="silver.orders"))
    wrote(operator, commit(1, table="silver.orders"))
    lived = good(operator, 0), eventful(operator, served.home, 1)
    operator.succeeded(DAILY_PHASES, **DAILY_RUN)
    project = operator.owner.ensure_project("default", "demo")
    Backfills(operator.owner.source).start(
        project, "dev", {"pipeline": "daily", "from": "2025-01-01", "to": "2025-01-03"}
    )
    asked = Warehouse(operator.owner.source).submit(Scope("default", "demo", "dev"), Question("select 1 as one"))
    answered(operator, served.home, pl.DataFrame({"one": [1, None], "said": [HOSTILE, ""]}))
    at_work, token = operator.running(lease_seconds=3600.0)
    with psycopg.connect(operator.url, autocommit=True) as owner:
        owner.execute(
            "insert into ops.caps (key, org_id, amount, period) "
            "select 'few', id, 1, 'concurrent' from ops.orgs where slug = 'default'"
        )
    operator.queue(None, **RUN)
    catalog = Catalog(operator.owner.source)
    table = catalog.entry(project, "dev", "silver.orders").dataset_id
    catalog.note_dataset(table, description=HOSTILE, owners=[HOSTILE])
    catalog.note_column(table, "amount", description=HOSTILE, pii="yes")
    pages = {
        **PAGES,
        f"sql?run={asked}": "SQL",
        f"run?id={asked}": "",
        f"pipeline?project={quote('default/demo', '')}&name=daily": "daily",
        f"run?id={run.run_id}": "",
        f"run?id={at_work}": "",
        f"run?id={lived[1]}": "",
        f"pipeline?project={quote('default/demo', '')}&name=orders": "orders",
        f"dataset?id={table}": "silver.orders",
    }
    looks = {**LOOKS, "run": f"run?id={lived[1]}", "failed": f"run?id={run.run_id}", "table": f"dataset?id={table}"}
    return World(empty, served, pages, {**looks, "answer": f"sql?run={asked}"}, {at_work: token})


def drawn(page: Page, served: Served, address: str, heading: str) -> None:
    page.goto(f"{served.where}/{address}")
    if heading:
        expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()
    else:
        page.wait_for_selector(".verdict")
    page.wait_for_selector(DRAWN)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.title() != "taken"


def findings(page: Page) -> set[str]:
    """What axe finds serious, of two looks that which both found: what is being drawn anew is pale for a moment."""

    def look() -> set[str]:
        return {
            f"{found['id']}: {node['html'][:120]}"
            for found in Axe().run(page).response["violations"]
            if found["impact"] in SERIOUS
            for node in found["nodes"]
        }

    first = look()
    if not first:
        return first
    page.wait_for_timeout(1000)
    return first & look()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_page_can_be_read_by_everybody_and_complains_of_nothing(watched: Watched, world: World) -> None:
    page, found = watched.page, {}
    for address, heading in world.pages.items():
        drawn(page, world.full, address, heading)
        if wrong := findings(page):
            found[address] = wrong
    assert found == {}
    assert watched.complaints == []
    assert watched.hosts == {world.full.where.removeprefix("http://")}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_every_page_is_drawn_for_every_role_with_nothing_in_it_and_with_something(
    page: Page, world: World, role: str
) -> None:
    for served, pages in ((world.empty, PAGES), (world.full, world.pages)):
        with as_role(served, role):
            for address, heading in pages.items():
                drawn(page, served, address, heading)


def test_a_control_room_in_which_nothing_has_happened_says_what_to_do(page: Page, empty: Served) -> None:
    for address, said in EMPTY.items():
        page.goto(f"{empty.where}/{address}")
        expect(page.get_by_text(said)).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_phone_shows_every_page_within_its_width_and_what_scrolls_is_reached_by_keys(
    page: Page, world: World
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    wide, found = {}, {}
    for address, heading in world.pages.items():
        drawn(page, world.full, address, heading)
        # What is wider scrolls by itself and not the page.
        if (width := page.evaluate("document.querySelector('.stMain').scrollWidth")) > 390:
            wide[address] = width
        if wrong := findings(page):
            found[address] = wrong
    assert wide == {}
    assert found == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_page_looks_as_on_the_picture_that_somebody_looked_at(
    watched: Watched, world: World, tmp_path: Path
) -> None:
    page = watched.page
    theme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    assert looked(page, world, world.looks, theme, tmp_path) == []


@pytest.mark.slow
def test_a_phone_shows_home_and_a_run_as_on_its_pictures(page: Page, world: World, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    shown = {name: world.looks[name] for name in ("home", "run", "failed")}
    assert looked(page, world, shown, "phone", tmp_path) == []


def looked(page: Page, world: World, shown: Mapping[str, str], under: str, aside: Path) -> list[str]:
    """What is not as on the pictures in the folder ``under``."""
    comparable(page)
    wrong = []
    for name, address in shown.items():
        world.alive()
        if under != "phone":
            page.set_viewport_size({"width": 1280, "height": 2200 if name in LONG else 900})
        drawn(page, world.full, address, world.pages.get(address, ""))
        if said := compared(page, f"{under}/{name}", aside):
            wrong.append(said)
    return wrong
