"""Worlds to attack; each has a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from migrations.apply import migrate
from ops import embedded
from ops.model import Scope
from pipelines.lake import Lake
from pipelines.spec import Pipeline
from pipelines.spec_source import load
from tests.faults.invariants import SEED_ROWS
from tests.faults.world import World, a_world


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    yield from _world(database, tmp_path)


@pytest.fixture
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Cluster]:
    """A Postgres of the test's own, to be crashed."""
    cluster = embedded.ensure(tmp_path_factory.mktemp("cluster"))
    yield cluster
    embedded.ensure(cluster.home).stop()


@pytest.fixture
def world_of_its_own(own_cluster: embedded.Cluster, tmp_path: Path) -> Iterator[World]:
    """A world on ``own_cluster``."""
    migrate(own_cluster.url())
    yield from _world(own_cluster.url(), tmp_path)


def _world(database: str, tmp_path: Path) -> Iterator[World]:
    lake = Lake(str(tmp_path / "lake"), Scope("default", "faults", "dev"))
    Path(lake.path("bronze.seed")).mkdir(parents=True)
    pl.DataFrame({"id": range(SEED_ROWS)}).write_delta(lake.path("bronze.seed"))
    with a_world(database, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def fault_run() -> Pipeline:
    return load(Path(__file__).with_name("fault_run.yaml"))
