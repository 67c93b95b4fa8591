"""What is wrong ends as a typed error on its run, in words that lead out, and leaves the lake as it was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from deltalake import DeltaTable

from ops.database import connect
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from pipelines.odoo.generator import generate
from pipelines.spec import Pipeline
from tests.compute.specs import phase, pipeline
from tests.faults.world import World
from tests.postgres import Databases

LANDING = {
    "name": "land", "kind": "ingest", "source": {"kind": "postgres", "dsn": "secret://file/odoo_dsn"}, "contract": "odoo",
    "tables": ["res_partner", "account_move"],
}  # fmt: skip


@pytest.fixture
def company(databases: Databases) -> Iterator[str]:
    """An invented Odoo of the test's own."""
    name = databases.template("template_small_company", _invent)
    with databases.clone(name) as url:
        yield url


def _invent(url: str) -> None:
    generate(url, scale=0.02, seed=7)


def lake(world: World) -> dict[str, tuple[int, int]]:
    """Version and rows of every table that anybody can see."""
    root = world.home / "lake"
    tables = sorted(path.parent for path in root.rglob("_delta_log"))
    return {str(table.relative_to(root)): (DeltaTable(table).version(), DeltaTable(table).count()) for table in tables}


def ended(world: World, spec: Pipeline, **params: object) -> tuple[str, str]:
    """Submits a run, waits for its end, gives code and message."""
    before = len(world.rows("select 1 from ops.runs where status in ('succeeded', 'failed', 'canceled')"))
    run = world.submit(spec, params, max_attempts=1)
    world.wait_until_finished(before + 1)
    [(status, code, message)] = world.rows("select status, error_code, error_message from ops.runs where id = %s", run)
    return str(code or status), str(message)


def ingested(world: World, company: str) -> None:
    world.give_secret("odoo_dsn", company)
    world.start_executor()
    assert ended(world, pipeline(LANDING)) == ("succeeded", "None")


@pytest.mark.parametrize("allowed", ["secret://file/odoo_dsn_2", "secret://env/odoo_dsn", "secret://file/x/*"])
def test_a_secret_of_another_project(world: World, company: str, allowed: str) -> None:
    (world.home / "secrets").mkdir()
    (world.home / "secrets" / "odoo_dsn").write_text(company)
    with connect(world.url, autocommit=True) as owner:
        other = Rpc(owner).ensure_project("default", "other")
        Tenancy(owner).allow_secret(other, "secret://file/odoo_dsn")
        Tenancy(owner).allow_secret(world.project_id, allowed)
    world.start_executor()
    code, message = ended(world, pipeline(LANDING))
    assert code == "NOT_ALLOWED"
    assert "secret://file/odoo_dsn is none of this project's" in message


UPSTREAM = {
    "a column is dropped": ("alter table res_partner drop column name cascade", "res_partner", "name"),
    "a column has another type": (
        "alter table account_move alter column amount_total type text using amount_total::text",
        "account_move",
        "amount_total",
    ),
    "a table is dropped": ("drop table account_move cascade", "account_move", "account_move"),
}


@pytest.mark.parametrize("change", UPSTREAM)
def test_a_source_that_left_its_contract(world: World, company: str, change: str) -> None:
    ingested(world, company)
    seen = lake(world)
    statement, table, column = UPSTREAM[change]
    with psycopg.connect(company, autocommit=True) as source:
        source.execute("update account_move set write_date = now() at time zone 'utc'")
        source.execute(statement.encode())
    code, message = ended(world, pipeline(LANDING))
    assert code == "SCHEMA_DRIFT"
    assert table in message
    assert column in message
    assert lake(world) == seen


WRONG: dict[str, tuple[Callable[[], Pipeline], str, str]] = {
    "a table that nobody made": (
        lambda: pipeline(phase("a", "sleep", inputs={"seed": "bronze.nothing"})),
        "NOT_FOUND",
        "bronze.nothing",
    ),
    "a column that the table lacks": (
        lambda: pipeline({"name": "a", "kind": "query", "inputs": {"t": "bronze.seed"}, "sql": "select nope from t"}),
        "SCHEMA_DRIFT",
        "nope",
    ),
    "a check that does not hold": (
        lambda: pipeline({"name": "a", "kind": "validate", "table": "bronze.seed", "expect": [{"rows": {"min": 99}}]}),
        "CHECK_FAILED",
        ">= 99",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_spec_asks_for_and_cannot_have(world: World, what: str) -> None:
    make, wanted, named = WRONG[what]
    seen = lake(world)
    world.start_executor()
    code, message = ended(world, make(), seconds=0)
    assert code == wanted, message
    assert named in message
    assert "\n" not in message
    assert lake(world) == seen


def test_a_cap_that_is_used_up(world: World) -> None:
    with connect(world.url, autocommit=True) as connection:
        connection.execute(
            "insert into ops.caps (key, org_id, project_id, unit, amount, period) "
            "select 'daily_rows', org_id, id, 'rows', 10, 'day' from ops.projects where id = %s",
            [world.project_id],
        )
    world.start_executor()
    assert ended(world, pipeline(phase("one", "sleep")), seconds=0)[0] == "succeeded"
    seen = lake(world)
    code, message = ended(world, pipeline(phase("one", "sleep"), name="again"), seconds=0)
    assert (code, lake(world)) == ("CAP_EXCEEDED", seen)
    assert "cap daily_rows is used up: 10 of 10 rows (day)" in message


@pytest.fixture
def full_disk(world: World) -> Iterator[Path]:
    """The lake on a disk of 32 kB; skips where nothing can be mounted."""
    lake_folder = world.home / "small"
    lake_folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(lake_folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    world.environment["CONTROLROOM_LAKE_URL"] = str(lake_folder)
    try:
        yield lake_folder
    finally:
        subprocess.run(["umount", "--lazy", str(lake_folder)], check=True)


def test_a_disk_that_is_full(world: World, company: str, full_disk: Path) -> None:
    world.give_secret("odoo_dsn", company)
    world.start_executor()
    code, message = ended(world, pipeline(LANDING))
    assert code == "STORAGE_FAILED", message
    assert "space" in message
    assert world.rows("select count(*) from ops.dataset_versions") == [(0,)]
    for log in full_disk.rglob("_delta_log"):
        assert DeltaTable(log.parent).count() == 0
