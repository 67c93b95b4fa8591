"""Lineage is told whatever is killed: real runs of real executors, stewards and a receiver that die in between."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from compute.lineage.events import told
from ops.database import connect
from ops.lineage import LineageTelling
from ops.model import RunId
from pipelines.spec import Pipeline
from pipelines.spec_source import load
from tests.compute.openlineage_spec import Json, faults
from tests.compute.receiving import free_port, receiver
from tests.compute.test_lineage_events import as_json
from tests.compute.test_lineage_told import until
from tests.faults.conftest import fault_run
from tests.faults.world import World, end
from tests.pipelines.lineage_answers import MARTS
from tests.pipelines.odoo.conftest import REFERENCE

__all__ = ["fault_run"]
CUT = 0.1


class Turmoil:
    """Two stewards, of which one tells, and a receiver; each can be struck down and comes back."""

    def __init__(self, world: World, log: Path) -> None:
        self._world, self.log, self._port = world, log, free_port()
        world.environment["CONTROLROOM_OPENLINEAGE"] = f"http://127.0.0.1:{self._port}"
        with connect(world.url, autocommit=True) as connection:
            LineageTelling(connection).enroll()
        self._stewards: list[subprocess.Popen[bytes]] = []
        self._receiver = ExitStack()
        self.kills = 0

    def begin(self, stewards: int, cut: float = CUT) -> None:
        self._cut = cut
        self._stewards = [self._world.start_steward() for _ in range(stewards)]
        self._receive()

    def strike(self) -> None:
        self.kills += 1
        if random.random() < 0.5:
            end(self._stewards.pop(0))
            self._stewards.append(self._world.start_steward())
        else:
            self._receiver.close()
            self._receive()

    def stop(self) -> None:
        self._receiver.close()

    def _receive(self) -> None:
        self._receiver = ExitStack()
        self._receiver.enter_context(receiver("lineage", self._port, self.log, self._cut))

    def until_told(self, runs: int) -> None:
        query = "select count(*) from ops.lineage_sent where done"
        until(
            lambda: self._world.rows(query) == [(runs,)],
            lambda: (self._world.rows("select * from ops.lineage_sent where not done"), self._world.log_tail()),
            seconds=120,
        )

    def heard(self) -> list[Json]:
        """What arrived, in order; a line that the receiver died in did not."""
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        return [json.loads(line)["event"] for line in lines if line.endswith("\n")]


@pytest.fixture
def turmoil(world_of_faults: World, tmp_path: Path) -> Iterator[Turmoil]:
    made = Turmoil(world_of_faults, tmp_path / "heard")
    try:
        yield made
    finally:
        made.stop()


def of_run(event: Json) -> str:
    parent = event["run"]["facets"].get("parent")
    return str(event["run"]["runId"] if parent is None else parent["run"]["runId"])


def key(event: Json) -> tuple[str, str, str]:
    return (event["run"]["runId"], event["eventType"], event["eventTime"])


def check_order(heard: list[Json], world: World, runs: list[RunId]) -> None:
    """Each run's events, all of them; the first time in their order, repeats next to what they repeat."""
    with connect(world.url, autocommit=True) as connection:
        telling = LineageTelling(connection)
        for run in runs:
            expected = [key(as_json(one)) for _, events in told(telling.story(run), "/") for one in events]
            mine = [key(each) for each in heard if of_run(each) == str(run)]
            assert list(dict.fromkeys(mine)) == expected
            assert sorted(set(mine)) == sorted(expected)


def columns(output: Json) -> dict[str, set[str]]:
    """Column → its sources, and under ``*`` those of the rows, as the hand-written answers have them."""
    facet = output["facets"]["columnLineage"]
    found = {name: each["inputFields"] for name, each in facet["fields"].items()} | {"*": facet["dataset"]}
    return {name: {said for each in fields for said in _said(each)} for name, fields in found.items() if fields}


def _said(field: Json) -> list[str]:
    layer, table = Path(field["name"]).parts[-2:]
    name = table if layer == "silver" else f"{layer}.{table}"
    return [f"{each['subtype']} {name}.{field['field']}" for each in field["transformations"]]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_is_lost_and_order_is_kept_whatever_is_killed(
    turmoil: Turmoil, world_of_faults: World, fault_run: Pipeline
) -> None:
    world = world_of_faults
    turmoil.begin(stewards=2)
    runs = [world.submit(fault_run, {"name": f"run {number}", "seconds": 0.3}) for number in range(4)]
    executors = [world.start_executor(slots=2)]
    for turn in range(5):
        until(lambda turn=turn: len(turmoil.heard()) > 3 * turn, world.log_tail, seconds=120)  # type: ignore[misc]
        turmoil.strike()
        if turn == 2:
            end(executors.pop())
            executors.append(world.start_executor(slots=2))
    assert world.wait_until_finished(len(runs)) == {"succeeded": len(runs)}
    turmoil.until_told(len(runs))
    heard = turmoil.heard()
    check_order(heard, world, runs)
    assert [fault for each in heard for fault in faults(each)] == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_event_of_the_reference_pipelines_is_valid(
    turmoil: Turmoil, world_of_faults: World, odoo_clone: str, empty_database: str
) -> None:
    world = world_of_faults
    world.environment["CONTROLROOM_LEASE_SECONDS"] = "10"
    world.give_secret("odoo_dsn", odoo_clone)
    world.give_secret("gold_dsn", empty_database)
    turmoil.begin(stewards=1, cut=0.0)
    world.start_executor(slots=1)
    runs = []
    for number, name in enumerate(("odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold"), 1):
        runs.append(world.submit(load(REFERENCE / f"{name}.yaml"), {}))
        assert world.wait_until_finished(number, seconds=200) == {"succeeded": number}
    turmoil.until_told(3)
    heard = turmoil.heard()
    check_order(heard, world, runs)
    assert [fault for each in heard for fault in faults(each)] == []
    assert odoo_clone not in json.dumps(heard)
    made = {
        output["facets"]["symlinks"]["identifiers"][0]["name"]: output
        for each in heard if each["eventType"] == "COMPLETE"
        for output in each["outputs"] if "symlinks" in output["facets"]
    }  # fmt: skip
    told_of = {name.removeprefix("gold."): columns(each) for name, each in made.items() if name.startswith("gold.")}
    assert len(told_of) == 9
    # As a reader of their SQL says; a column of constants has no source and is not told.
    for name, answer in MARTS.items():
        said = {**answer["columns"], "*": answer["rows"]}
        assert told_of[name] == {column: sources for column, sources in said.items() if sources}, name
    for name, each in made.items():
        assert each["facets"]["schema"]["fields"], name
        counted = each["outputFacets"]["outputStatistics"]
        assert (counted["size"] > 0) == (counted["rowCount"] > 0), name
        # A source does not say what it was made from, nor does a function of Python's, which makes all of silver; SQL does.
        assert ("columnLineage" in each["facets"]) == name.startswith("gold."), name
