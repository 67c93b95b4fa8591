"""The session's Superset, and worlds that publish to it. Tests share the server; each has projects of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from controlroom import bi
from ops.embedded import Cluster
from tests.postgres import Databases
from tests.superset.world import Server, World, new_world, session_server


@pytest.fixture(scope="session")
def server(cluster: Cluster) -> Iterator[Server]:
    with session_server(cluster) as running:
        yield running


@pytest.fixture(scope="module")
def world(
    server: Server, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with (
        databases.clone(template) as ops,
        databases.clone("template0", "gold") as gold,
        new_world(server, ops, gold, tmp_path_factory.mktemp("home")) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def acme() -> str:
    """An org's name that no other module has: they share the server."""
    return f"acme{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def published(world: World, acme: str) -> Iterator[World]:
    """One project with one mart, released, published and certified; a viewer and an editor. Each test leaves it published."""
    world.member(acme, f"ann-{acme}", "viewer")
    world.member(acme, f"ed-{acme}", "editor")
    world.release(acme, [100, 200, 300])
    bi.publish_gold(world.settings(acme), lambda _: None)
    yield world
    bi.unpublish_gold(world.settings(acme))
