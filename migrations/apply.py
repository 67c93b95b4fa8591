"""Brings a database to the newest ops schema: immutable revisions first, then everything that is re-creatable.

Revisions (``sql/NNNN_pre_*.sql``, ``sql/NNNN_post_*.sql``) hold tables and data; they are applied once, in order, by Alembic.
Functions, policies and schema api (``sql/functions/``, ``sql/policies/``, ``sql/api/``) are re-applied whole on every migrate,
in the order of their names, so that a diff shows the real change. Everything happens in one transaction under one advisory
lock: callers may race. It locks every table, and so may meet a transaction of those who work in a circle: then Postgres ends
one of the two, and where that is this one it begins anew.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

HERE = Path(__file__).parent
SQL = HERE / "sql"
OBJECTS = ("functions", "policies/tables", "policies/permissions", "api", "policies/seed")
# Any number will do that nobody else locks.
LOCK = 0x6F7073
TRIES = 5


def migrate(url: str, revision: str = "head") -> None:
    """Applies what is missing and re-creates functions and policies; harmless to repeat and to race.

    Args:
        url: a ``postgresql://`` URL of the role that shall own the schema.
        revision: where to stop, for tests of upgrades; objects are re-created only at ``head``.
    """
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        for left in reversed(range(TRIES)):
            try:
                _migrate(engine, revision)
                return
            except OperationalError as error:
                if not left or not isinstance(error.orig, DeadlockDetected):
                    raise
    finally:
        engine.dispose()


def _migrate(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")
        connection.exec_driver_sql("create schema if not exists private")
        command.upgrade(_config(connection), revision)
        if revision == "head":
            for path in objects():
                _execute(connection, path.read_text())


def revisions() -> list[str]:
    """Names of all revisions, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def run_file(name: str) -> None:
    """Executes one file of ``sql/`` inside a revision."""
    _execute(op.get_bind(), (SQL / name).read_text())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic reads % as an interpolation.
    config.set_main_option("script_location", str(HERE / "revisions").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def objects() -> list[Path]:
    """Files of what is re-created on every migrate, in their order."""
    found: list[Path] = []
    for name in OBJECTS:
        found += sorted((SQL / name).glob("*.sql"))
    return found


def _execute(connection: Connection, sql: str) -> None:
    # As text, :name would be a bind parameter and % a placeholder; plain SQL has both.
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})
