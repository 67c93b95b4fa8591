"""Signals of real runs: an executor copies a table, a steward scores, and the table loses rows and values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

import polars as pl

from ops.database import connect
from ops.model import RefreshAsked, RunId, Scope
from ops.refreshes import Refreshes
from pipelines.catalogue import new_phases
from pipelines.lake import Lake
from pipelines.refresh import refreshed
from pipelines.spec import spec_sha256
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

RUNS = 10
ROWS = 2_000


def feed(world: World, rows: int, nulls: int, run: int) -> None:
    """The source as it is before a run: never quite the same."""
    lake = Lake(str(world.home / "lake"), Scope("default", "faults", "dev"))
    names = [None if number < nulls else f"n{number}" for number in range(rows + run)]
    frame = pl.DataFrame({"id": range(rows + run), "name": names}, schema={"id": pl.Int64(), "name": pl.String()})
    frame.write_delta(lake.path("bronze.seed"), mode="overwrite", delta_write_options={"schema_mode": "overwrite"})


def copied(world: World, runs: int) -> RunId:
    run = world.submit(pipeline(phase("copy", "sleep")), {"seconds": 0})
    assert world.wait_until_finished(runs) == {"succeeded": runs}, world.rows("select error_message from ops.runs")
    return run


def refreshed_copy(world: World, runs: int) -> RunId:
    """A full refresh of the same pipeline, built and not swapped in."""
    spec = pipeline(phase("copy", "sleep"))
    asked = RefreshAsked(
        spec.pipeline, spec.to_json(), spec_sha256(spec), "0" * 40, {"seconds": 0}, new_phases(refreshed(spec)), 1, None
    )
    with connect(world.url, autocommit=True, claims={"sub": "boss"}) as connection:
        Refreshes(connection).start(world.project_id, "dev", asked, None)
    assert world.wait_until_finished(runs) == {"succeeded": runs}, world.rows("select error_message from ops.runs")
    [(run,)] = world.rows("select run_id from ops.refreshes order by started_at desc limit 1")
    return RunId(UUID(str(run)))


def signals(world: World, run: RunId, seconds: float = 60.0) -> Mapping[str, tuple[float, str]]:
    """What the steward recorded, once the run has its score."""
    until = time.monotonic() + seconds
    while not world.rows("select 1 from ops.run_scores where run_id = %s", run):
        assert time.monotonic() < until, world.log_tail()
        time.sleep(0.05)
    found = world.rows("select signal, value, coalesce(data ->> 'said', '') from ops.signals where run_id = %s", run)
    return {str(signal): (float(str(value)), str(said)) for signal, value, said in found}


def test_lost_rows_and_lost_values_are_told_of(world: World) -> None:
    world.start_executor()
    world.start_steward()
    for number in range(1, RUNS + 1):
        feed(world, ROWS, 10, number)
        copied(world, number)
        # As if it had been a day ago.
        world.change("update ops.dataset_versions set recorded_at = recorded_at - interval '1 day'")
    feed(world, ROWS, 10, RUNS + 1)
    as_ever = signals(world, copied(world, RUNS + 1))
    assert as_ever["row_count_anomaly"][0] < 1
    assert as_ever["null_rate"][0] < 1
    feed(world, ROWS // 2, 400, 0)
    run = copied(world, RUNS + 2)
    seen = signals(world, run)
    value, said = seen["row_count_anomaly"]
    assert value > 4
    assert "gold.copy has 50 % fewer rows than usual (1,000, usually about 2,00" in said
    value, said = seen["null_rate"]
    assert value > 4
    assert said == "gold.copy.name is null in 40.0 % of rows (usually 0.5 %)"
    [(sentence, first)] = world.rows(
        "select sentence, breakdown -> 0 ->> 'signal' from ops.run_scores where run_id = %s", run
    )
    assert first in ("row_count_anomaly", "null_rate")
    assert "gold.copy has 50 % fewer rows" in str(sentence)
    assert "gold.copy.name is null" in str(sentence)


def test_a_refresh_in_trial_is_not_judged_and_spoils_no_history(world: World) -> None:
    """As many refreshes of a third of the rows as there are usual runs: counted, they would be what is usual."""
    world.start_executor()
    world.start_steward()
    runs = 0
    for number in range(1, RUNS + 1):
        feed(world, ROWS, 10, number)
        runs += 1
        copied(world, runs)
        feed(world, ROWS // 3, 600, number)
        runs += 1
        refresh = refreshed_copy(world, runs)
        world.change("update ops.dataset_versions set recorded_at = recorded_at - interval '1 day'")
    told = signals(world, refresh)
    assert set(told) & {"row_count_anomaly", "null_rate", "schema_drift", "duration_anomaly", "cost_anomaly"} == set()
    feed(world, ROWS, 10, RUNS + 1)
    as_ever = signals(world, copied(world, runs + 1))
    assert as_ever["row_count_anomaly"][0] < 1
    assert as_ever["null_rate"][0] < 1
    feed(world, ROWS // 3, 600, 0)
    seen = signals(world, copied(world, runs + 2))
    assert "gold.copy has 67 % fewer rows than usual" in seen["row_count_anomaly"][1]
    assert seen["null_rate"][0] > 4
