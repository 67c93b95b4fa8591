"""Postgres did what it was asked for and the answer never came: every call is repeated, and has happened once."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from compute.hands.processes import ProcessHands
from compute.phase_work import Places
from compute.run_life import Executor, RunLife
from ops.database import EXECUTOR, Pool
from ops.errors import DatabaseUnavailable
from ops.model import ClaimedRun
from ops.rpc import Rpc
from pipelines.spec import Pipeline
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

LEASE_SECONDS = 60.0


class Forgetful(Rpc):
    """Loses the answer to the first time that each thing is asked for, after Postgres did it."""

    def __init__(self, source: Pool) -> None:
        super().__init__(source)
        self.lost: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def _answered(self, query: str, arguments: dict[str, Any]) -> None:
        key = query, str(arguments.get("phase"))
        with self._lock:
            self.lost[key] += 1
            first = self.lost[key] == 1
        if first:
            raise DatabaseUnavailable(f"the answer of {query} is lost")

    def _value(self, query: str, /, **arguments: object) -> Any:
        value = super()._value(query, **arguments)
        self._answered(query, arguments)
        return value

    def _do(self, query: str, /, **arguments: object) -> None:
        super()._do(query, **arguments)
        self._answered(query, arguments)


def lived(world: World, *specs: Pipeline, seconds: float = 0.0) -> tuple[ClaimedRun, Forgetful]:
    """Submits and lives each of them in this process, over a connection that forgets."""
    places = Places(world.url, str(world.home / "lake"), str(world.home / "artifacts"), {}, world.home)
    me = uuid.uuid4()
    with Pool(world.url, EXECUTOR, min_size=1, max_size=2) as pool:
        steady, forgetful = Rpc(pool), Forgetful(pool)
        steady.register_executor(me, "forgetful")
        hands = ProcessHands(1, world.home)
        try:
            for spec in specs:
                world.submit(spec, {"seconds": seconds}, max_attempts=1)
                [run] = steady.claim_run(me, lease_seconds=LEASE_SECONDS)
                RunLife(run, Executor("forgetful", places, hands, LEASE_SECONDS), forgetful, time.monotonic()).live()
        finally:
            hands.close()
    return run, forgetful


@pytest.fixture
def asked() -> Pipeline:
    check = {
        "name": "check",
        "kind": "validate",
        "table": "gold.one",
        "on_fail": "warn",
        "expect": [{"rows": {"min": 99}}],
    }
    ask = {
        "name": "ask",
        "kind": "query",
        "depends_on": ["check"],
        "inputs": {"t": "gold.one"},
        "sql": "select id from t",
    }
    return pipeline(phase("one", "sleep"), check, ask)


def test_a_run_whose_every_answer_is_lost_once_has_one_history(world: World, asked: Pipeline, tmp_path: Path) -> None:
    run, forgetful = lived(world, asked)
    assert world.rows("select status, error_message from ops.runs") == [("succeeded", None)]
    calls = {query for query, _ in forgetful.lost}
    assert calls >= {
        "start_run",
        "pin_inputs",
        "start_phase",
        "append_events",
        "finish_phase",
        "record_signal",
        "complete_run",
    }
    told = Counter((kind, name, message) for _, kind, name, message in world.story(run.run_id))
    once = {
        ("RUN_STARTED", None, ""), ("RUN_SUCCEEDED", None, ""),
        *((kind, name, "") for kind in ("PHASE_STARTED", "PHASE_SUCCEEDED") for name in ("one", "check", "ask")),
    }  # fmt: skip
    assert {key: told[key] for key in once} == dict.fromkeys(once, 1)
    reports = world.rows("select phase, message, data from ops.run_events where type = 'PHASE_PROGRESS'")
    assert reports
    assert len(reports) == len({str(report) for report in reports}), reports
