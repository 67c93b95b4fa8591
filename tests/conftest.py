"""Fixtures: one for each real thing. Postgres is shared by the session, a database by nobody (a clone costs 50 ms)."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ops import embedded, embedded_host
from ops.database import EXECUTOR, connect
from ops.rpc import Rpc
from tests.operating import Operator
from tests.postgres import Databases, session_cluster
from tests.storage import S3, serve_s3

# Specs of tests name functions that stand in tests; child processes and Ray workers inherit it.
os.environ.setdefault("CONTROLROOM_CODE_MODULES", "pipelines,tests")

ODOO_DUMP = Path(__file__).resolve().parents[2] / "shared" / "odoo" / "odoo19_demo.sql.gz"


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[embedded.Cluster]:
    """The session's Postgres, one for all xdist workers. ``CONTROLROOM_PG_BIN`` chooses its version."""
    worker = getattr(request.config, "workerinput", None)
    session = str(worker["testrunuid"]) if worker else uuid.uuid4().hex
    with session_cluster(session[:12]) as running:
        yield running


@pytest.fixture(scope="session")
def databases(cluster: embedded.Cluster) -> Databases:
    return Databases(cluster)


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """Name of a migrated database; take ``database`` unless you clone it yourself."""
    from migrations.apply import migrate

    return databases.template("template_controlroom", migrate)


@pytest.fixture
def database(databases: Databases, template: str) -> Iterator[str]:
    """URL of a migrated database of the test's own, as its owner."""
    with databases.clone(template) as url:
        yield url


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """URL of an empty database of the test's own."""
    with databases.clone("template0") as url:
        yield url


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to ``database`` as its owner."""
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def operator(database: str) -> Iterator[Operator]:
    """An operator's and an executor's hands on ``database``."""
    with connect(database, autocommit=True) as owner, connect(database, EXECUTOR, autocommit=True) as executing:
        made = Operator(database, Rpc(owner), Rpc(executing), uuid.uuid4())
        made.executor.register_executor(made.executor_id, "tester", slots=4, host="here", version="0")
        yield made


@pytest.fixture(scope="session")
def odoo_template(databases: Databases) -> str:
    """Name of a database with the real Odoo 19 dump. Skips where the dump is not beside the project."""
    if not ODOO_DUMP.exists():
        pytest.skip(f"the Odoo 19 dump is not at {ODOO_DUMP.relative_to(ODOO_DUMP.parents[3])}")
    return databases.template("template_odoo", _restore_odoo)


def _restore_odoo(url: str) -> None:
    psql = embedded_host.binaries(None) / "psql"
    command = [str(psql), "--quiet", "--no-psqlrc", "--output", "/dev/null", url]
    with (
        gzip.open(ODOO_DUMP) as dump,
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as running,
    ):
        assert running.stdin is not None
        shutil.copyfileobj(dump, running.stdin)
        _, said = running.communicate()
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from public.account_move_line").fetchone()
    assert row == (144,), f"the Odoo dump was not restored whole: {said.decode()[:500]}"


@pytest.fixture(scope="session")
def odoo_database(databases: Databases, odoo_template: str) -> Iterator[str]:
    """URL of the real Odoo database, read-only and shared by the worker's tests."""
    with databases.clone(odoo_template, "odoo") as url:
        databases.freeze(url)
        yield url


@pytest.fixture
def odoo_clone(databases: Databases, odoo_template: str) -> Iterator[str]:
    """URL of an Odoo database of the test's own, for tests that write into it."""
    with databases.clone(odoo_template, "odoo") as url:
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 API on loopback, real HTTP; ``s3.bucket()`` makes a bucket of the test's own."""
    with serve_s3() as server:
        yield server
