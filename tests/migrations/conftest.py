"""A database with two teams in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.migrations.tenants import Team, two_teams
from tests.postgres import Databases


@dataclass(frozen=True)
class Tenancy:
    """``connection`` is the owner's, in autocommit; ``ours`` and ``theirs`` know nothing of each other."""

    connection: psycopg.Connection
    ours: Team
    theirs: Team


@pytest.fixture(scope="module")
def tenancy(databases: Databases, template: str) -> Iterator[Tenancy]:
    with databases.clone(template) as url:
        teams = two_teams(url)
        with psycopg.connect(url, autocommit=True) as connection:
            yield Tenancy(connection, *teams)
