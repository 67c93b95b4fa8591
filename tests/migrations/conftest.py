"""A database with two teams in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from ops.database import Connection
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.acting import BOSS
from tests.migrations.tenants import Team, two_teams
from tests.postgres import Databases


@dataclass(frozen=True)
class TwoTeams:
    """``connection`` is the owner's, in autocommit; ``ours`` and ``theirs`` know nothing of each other."""

    connection: psycopg.Connection
    ours: Team
    theirs: Team


@pytest.fixture(scope="module")
def tenancy(databases: Databases, template: str) -> Iterator[TwoTeams]:
    with databases.clone(template) as url:
        teams = two_teams(url)
        with psycopg.connect(url, autocommit=True) as connection:
            yield TwoTeams(connection, *teams)


@pytest.fixture
def acme(connection: Connection) -> Connection:
    """An org with an admin and two projects."""
    rpc, owner = Rpc(connection), Tenancy(connection)
    rpc.ensure_project("acme", "books")
    rpc.ensure_project("acme", "shelf")
    rpc.ensure_project("rivals", "books")
    owner.set_member("acme", None, BOSS, "admin")
    return connection
