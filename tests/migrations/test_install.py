"""Installing the schema: from nothing, from each earlier revision, by twenty at once, by a role that is no superuser."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from migrations.apply import HERE, migrate, revisions
from migrations.snapshot import SNAPSHOT, dump
from ops import embedded
from ops.database import with_database
from tests.migrations.permissions import faults
from tests.migrations.tenants import two_teams
from tests.postgres import Databases

OLDER_SERVER = "/usr/lib/postgresql/15/bin"


def test_the_committed_snapshot_is_the_schema(database: str) -> None:
    assert dump(database) == SNAPSHOT.read_text(), "run `python -m migrations.snapshot` and read the difference"


@pytest.mark.parametrize("revision", revisions())
def test_each_revision_is_upgraded_to_the_same_schema(empty_database: str, revision: str) -> None:
    migrate(empty_database, revision)
    with psycopg.connect(empty_database) as connection:
        [[here]] = connection.execute("select version_num from private.schema_revision").fetchall()
    assert here == revision
    migrate(empty_database)
    assert dump(empty_database) == SNAPSHOT.read_text()


def test_a_repeat_changes_nothing_and_loses_nothing(database: str) -> None:
    two_teams(database)
    with psycopg.connect(database, autocommit=True) as connection:
        query = "select count(*), sum(event_seq) from ops.runs"
        before = connection.execute(query).fetchall()
        connection.execute("update ops.signal_weights set weight = 7 where signal = 'retries'")
        migrate(database)
        assert connection.execute(query).fetchall() == before
        [[weight]] = connection.execute("select weight from ops.signal_weights where signal = 'retries'").fetchall()
    assert weight == 7, "what a team has set is its own"
    assert dump(database) == SNAPSHOT.read_text()


def test_a_circle_with_who_works_is_gone_through_again(database: str) -> None:
    """Whoever works holds a table that comes late and wants one that is locked by then; it never looks for the circle itself,
    so that Postgres ends the other."""
    waits = "select count(*) from pg_locks where not granted and relation = 'ops.signals'::regclass"
    with psycopg.connect(database) as working, psycopg.connect(database, autocommit=True) as watching:
        working.execute("set deadlock_timeout = '1min'")
        working.execute("lock table ops.signals in access share mode")
        with ThreadPoolExecutor(1) as beside:
            migrated = beside.submit(migrate, database)
            until = time.monotonic() + 30
            while watching.execute(waits).fetchone() == (0,):
                assert time.monotonic() < until, "nobody waits for the table"
                time.sleep(0.01)
            began = time.monotonic()
            working.execute("lock table ops.access_tokens in access share mode")
            # Granted when the other was ended, which Postgres decides after a second.
            assert 0.5 < time.monotonic() - began < 20
            working.rollback()
            migrated.result(60)
    assert dump(database) == SNAPSHOT.read_text()


def test_twenty_installers_at_once_are_one(empty_database: str) -> None:
    with ThreadPoolExecutor(20) as installers:
        list(installers.map(migrate, [empty_database] * 20))
    assert dump(empty_database) == SNAPSHOT.read_text()


def test_installers_of_several_databases_share_the_servers_roles(tmp_path: Path) -> None:
    server = embedded.ensure(tmp_path / "home")
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            # The embedded server makes the login role itself; an installer that comes first elsewhere finds none.
            for role in ("anon", "authenticated", "service_role", "controlroom_executor", "controlroom_bi"):
                connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))
            names = [f"race{number}" for number in range(6)]
            for name in names:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        # Processes: Alembic keeps its context in module globals, and threads only take turns within one database.
        with ProcessPoolExecutor(len(names), multiprocessing.get_context("spawn")) as installers:
            list(installers.map(migrate, [server.url(name) for name in names]))
        assert {dump(server.url(name)) for name in names} == {SNAPSHOT.read_text()}
    finally:
        server.stop()


def test_an_owner_that_is_no_superuser_installs_and_is_bound(databases: Databases, empty_database: str) -> None:
    owner = f"owner_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        name = sql.Identifier(owner)
        connection.execute(sql.SQL("create role {} login password 'x' createrole nosuperuser").format(name))
        connection.execute(
            sql.SQL("grant create on database {} to {}").format(sql.Identifier(connection.info.dbname), name)
        )
        # As on a managed server, where an administrator has made the roles and lets the owner hand them on.
        for role in ("anon", "authenticated", "service_role", "controlroom_executor", "controlroom_bi"):
            connection.execute(sql.SQL("grant {} to {} with admin option").format(sql.Identifier(role), name))
        try:
            as_owner = with_database(databases.cluster.url("postgres", tcp=True), connection.info.dbname).replace(
                f"//{connection.info.user}:{databases.cluster.password}@", f"//{owner}:x@"
            )
            assert owner in as_owner
            migrate(as_owner)
            migrate(as_owner)
            ours, theirs = two_teams(empty_database)
            assert faults(connection, ours, theirs) == []
            with psycopg.connect(as_owner) as bound:
                assert bound.execute("select count(*) from ops.runs").fetchone() == (4,)
        finally:
            connection.execute(sql.SQL("drop owned by {} cascade").format(name))
            connection.execute(sql.SQL("drop role {}").format(name))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not Path(OLDER_SERVER).exists(), reason=f"no Postgres 15 at {OLDER_SERVER}")
@pytest.mark.skipif("CONTROLROOM_PG_BIN" in os.environ, reason="this is the run on the older server")
def test_postgres_15_keeps_the_same_promises() -> None:
    """What is right there; how it is planned is measured on the server that we ship."""
    modules = (
        "caps", "fair_turns", "install", "lint", "metered_caps", "narrow_rights", "permissions", "pools", "promises",
        "refreshes", "storm", "tenancy", "warehouse", "zombies",
    )  # fmt: skip
    chosen = [
        *(f"tests/migrations/test_{name}.py" for name in modules), "tests/ops/test_rpc.py", "tests/ops/test_fence.py",
        "tests/ops/test_reads.py", "tests/ops/test_listen.py", "--deselect",
        "tests/migrations/test_install.py::test_the_committed_snapshot_is_the_schema",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *chosen],
        env={**environment, "CONTROLROOM_PG_BIN": OLDER_SERVER},
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-1000:]
