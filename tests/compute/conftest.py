"""A world in which executors are processes, as the fault tests have it, but calm: a lease outlasts a busy machine's hiccup.

Nobody is killed here unless a test says so, and most tests have no steward: with the fault tests' lease of a second, an
executor that waits for the processor would lose its run and nobody would give it back.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.database import connect
from tests.compute.desk import Desk
from tests.faults.conftest import world as world_of_faults
from tests.faults.world import World
from tests.operating import Operator

__all__ = ["world_of_faults"]
CALM_LEASE_SECONDS = 6.0


@pytest.fixture
def world(world_of_faults: World) -> World:
    return calmed(world_of_faults)


def calmed(world: World) -> World:
    world.environment["CONTROLROOM_LEASE_SECONDS"] = str(CALM_LEASE_SECONDS)
    return world


@pytest.fixture
def desk(operator: Operator) -> Iterator[Desk]:
    with connect(operator.url, autocommit=True) as connection:
        made = Desk(operator, connection)
        made.register()
        yield made
