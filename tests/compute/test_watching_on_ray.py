"""On Ray too one trace spans the processes, and what phases say is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ops.artifacts import ArtifactStore
from tests.compute.conftest import calmed
from tests.compute.receiver import Receiver, a_receiver
from tests.compute.specs import phase, pipeline
from tests.compute.test_ray import Cluster, two_nodes
from tests.faults.world import World

__all__ = ["two_nodes"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as made:
        yield made


@pytest.fixture
def world(world_of_faults: World, receiver: Receiver) -> World:
    """Nodes of the cluster inherit its environment."""
    world_of_faults.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
    return calmed(world_of_faults)


def test_traces_and_logs_come_from_ray_tasks(two_nodes: Cluster, receiver: Receiver) -> None:
    world = two_nodes.world
    two_nodes.fleet("start", "--size", "1")
    run = world.submit(pipeline(phase("one", "talk")), {"name": "", "seconds": 0.0, "lines": 0, "tries": ""})
    assert world.wait_until_finished(1) == {"succeeded": 1}
    wanted = {"run", "claim", "phase transform", "commit"}
    spans = receiver.wait_for(lambda seen: wanted <= {each.name for each in seen})
    assert {each.trace_id for each in spans} == {run.hex}
    by_name = {each.name: each for each in spans}
    assert by_name["phase transform"].parent_id == by_name["run"].span_id
    assert by_name["commit"].parent_id == by_name["phase transform"].span_id
    assert by_name["phase transform"].pid != by_name["run"].pid

    [(uri,)] = world.rows("select uri from ops.run_artifacts where run_id = %s and kind = 'log'", run)
    lines = ArtifactStore(world.home / "artifacts").read(str(uri)).splitlines()
    said = {json.loads(line)["message"] for line in lines}
    assert {"printed to standard output", "a structured line", "by the standard library"} <= said
