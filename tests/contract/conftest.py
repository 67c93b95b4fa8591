"""A PostgREST for each test, before a database of the test's own: claiming takes whatever is queued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ops import embedded
from ops.database import connect
from tests.contract.door import Door, NoPostgrest, open_door, postgrest_program
from tests.contract.people import People


@pytest.fixture(scope="session")
def postgrest() -> Path:
    """PostgREST's program. Skips where it cannot be had, with the reason."""
    try:
        return postgrest_program()
    except NoPostgrest as reason:
        pytest.skip(str(reason))


@pytest.fixture
def door(postgrest: Path, cluster: embedded.Cluster, database: str, tmp_path: Path) -> Iterator[Door]:
    with open_door(postgrest, cluster, database, tmp_path / "postgrest.log") as opened:
        yield opened


@pytest.fixture
def people(door: Door) -> Iterator[People]:
    """A project with an editor, a viewer and, in another project, a stranger."""
    with connect(door.database, autocommit=True) as owner:
        yield People.of(owner)


@pytest.fixture
def owner(door: Door) -> Iterator[psycopg.Connection]:
    """The database behind the door, as its owner, in autocommit."""
    with psycopg.connect(door.database, autocommit=True) as connection:
        yield connection
