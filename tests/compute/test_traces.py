"""One trace spans the processes of a run: who created it, who owned it, who carried its phases out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from ops.model import RunId
from tests.compute.receiver import Received, Receiver, a_receiver
from tests.compute.specs import phase, pipeline
from tests.faults.world import ROOT, World

SPEC = Path(__file__).resolve().parents[1] / "faults" / "fault_run.yaml"
PHASES = {"phase transform", "phase validate", "phase publish", "phase query"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as made:
        yield made


def _submitted(world: World, receiver: Receiver) -> RunId:
    answer = subprocess.run(
        [sys.executable, "-m", "controlroom", "run", "submit", str(SPEC), "--param", "name=traced"],
        env={**os.environ, **world.environment, **_tracing(receiver)},
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return RunId(UUID(answer.stdout.strip()))


def _tracing(receiver: Receiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}


def _named(spans: list[Received], name: str) -> Received:
    [found] = [each for each in spans if each.name == name]
    return found


def test_one_trace_from_creation_to_publication_across_processes(world: World, receiver: Receiver) -> None:
    run = _submitted(world, receiver)
    executor = world.start_executor(slots=2, environment=_tracing(receiver))
    assert world.wait_until_finished(1) == {"succeeded": 1}
    spans = receiver.wait_for(lambda seen: {"create_run", "run", "claim", "commit", *PHASES} <= {s.name for s in seen})
    assert executor.poll() is None

    assert len({each.trace_id for each in spans}) == 1
    created, owned = _named(spans, "create_run"), _named(spans, "run")
    assert (created.parent_id, owned.parent_id) == ("", created.span_id)
    assert _named(spans, "claim").parent_id == owned.span_id
    assert {each.name for each in spans if each.parent_id == owned.span_id} == {"claim", *PHASES}
    commit = _named(spans, "commit")
    assert commit.parent_id == _named(spans, "phase transform").span_id
    assert commit.attributes["controlroom.table"] == "gold.effect"
    assert created.attributes["controlroom.run.id"] == owned.attributes["controlroom.run.id"] == str(run)
    # Three kinds of process at least: the command line, the executor, and a child of it.
    assert created.pid != owned.pid == executor.pid
    assert {each.pid for each in spans if each.name in PHASES}.isdisjoint({created.pid, owned.pid})
    publish = _named(spans, "phase publish")
    assert owned.began <= commit.began <= commit.ended <= publish.began <= publish.ended <= owned.ended


def test_a_failed_phase_is_seen_and_its_words_are_not(world: World, receiver: Receiver) -> None:
    """A run that nobody traced from its creation: all its owners go on under its own id."""
    bad = pipeline(phase("one", "stumble", retries={"max": 0}), name="bad")
    run = world.submit(bad, {"tries": str(world.home / "tries"), "seconds": 0.0, "name": ""}, max_attempts=2)
    world.start_executor(environment=_tracing(receiver))
    world.wait_until_finished(1)
    spans = receiver.wait_for(lambda seen: len([each for each in seen if each.name == "run"]) == 2)
    spans = receiver.wait_for(lambda seen: len([each for each in seen if each.name == "phase transform"]) == 2)
    assert {each.trace_id for each in spans} == {run.hex}
    failed = [each for each in spans if each.name in ("run", "phase transform")]
    assert {(each.error, each.attributes["error.type"]) for each in failed} == {(True, "STORAGE_FAILED")}
    assert "disk of this test" not in repr(spans)


def test_without_an_endpoint_nothing_of_the_sdk_is_loaded() -> None:
    """Off costs nothing: not an import in the processes that do the work, nor a field in what crosses."""
    code = (
        "import sys; from ops import traces; import compute.executor, compute.hands.processes, controlroom.submit\n"
        "with traces.span('x', None) as it: assert it.traceparent is None\n"
        "traces.flush()\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )
    off = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}):
        said = subprocess.run(
            [sys.executable, "-c", code],
            env={**off, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert said.stdout.strip() == "[]", said.stderr


def test_a_receiver_that_is_gone_stops_nobody(world: World) -> None:
    world.submit(pipeline(phase("one", "sleep")), {"seconds": 0.0})
    world.start_executor(environment={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert world.wait_until_finished(1) == {"succeeded": 1}
