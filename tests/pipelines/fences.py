"""A fence on real Postgres, as small as a fence can be: one row a run, one row a dataset version.

The protocol's tests stand on it alone, so that they show what the protocol promises and not what the RPCs add.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg

from ops.errors import LeaseLost
from ops.model import DatasetVersion, LeaseToken, RunId

TABLES = """
create table run (run_id uuid primary key, lease_token bigint not null);
create table aside (name text primary key, before bigint not null);
create table dataset_version (name text, version bigint, run_id uuid, adopted boolean, primary key (name, version));
"""


class Runs:
    """Runs of one database; :meth:`claim` makes a new owner, and with it every earlier one a zombie."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tokens = itertools.count(1)
        with psycopg.connect(url) as connection:
            connection.execute(TABLES)

    def claim(self, run_id: RunId | None = None) -> Owner:
        run_id, token = run_id or RunId(uuid4()), LeaseToken(next(self._tokens))
        with psycopg.connect(self._url) as connection:
            connection.execute(
                "insert into run values (%s, %s) on conflict (run_id) do update set lease_token = %s",
                [run_id, token, token],
            )
        return Owner(self._url, run_id, token)

    def set_aside(self, name: str, before: int | None) -> None:
        """What came after version ``before`` is nobody's to build upon; None: nothing is set aside any more."""
        with psycopg.connect(self._url) as connection:
            connection.execute("delete from aside where name = %s", [name])
            if before is not None:
                connection.execute("insert into aside values (%s, %s)", [name, before])

    def recorded(self) -> list[tuple[str, int]]:
        with psycopg.connect(self._url) as connection:
            return connection.execute("select name, version from dataset_version order by 1, 2").fetchall()


@dataclass(frozen=True)
class Owner:
    """A fence of one owner of a run."""

    url: str
    run_id: RunId
    token: LeaseToken

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "select lease_token from run where run_id = %s for share", [self.run_id]
            ).fetchone()
            if row != (self.token,):
                raise LeaseLost(f"token {self.token} is not the current one")
            yield Hold(connection, self.run_id)

    def record_adopted(self, dataset: DatasetVersion) -> None:
        with self.hold() as hold:
            hold.record(dataset)


@dataclass(frozen=True)
class Hold:
    connection: psycopg.Connection
    run_id: RunId

    def build_on(self, table: str) -> int | None:
        """The newest as it stands, but for what a test has set aside: from the first such version on."""
        row = self.connection.execute("select before from aside where name = %s", [table]).fetchone()
        return None if row is None else int(row[0])

    def record(self, dataset: DatasetVersion) -> None:
        self.connection.execute(
            "insert into dataset_version values (%s, %s, %s, %s) on conflict do nothing",
            [dataset.table, dataset.version, self.run_id, dataset.adopted],
        )
