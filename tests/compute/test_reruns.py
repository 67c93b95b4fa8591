"""Runs that are made of runs: a retry from a phase, on the definition of then or of now, and a replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from compute.verify import verify_run
from ops.backfills import Backfills
from ops.database import connect
from ops.errors import Conflict, IllegalTransition, NotFound
from ops.model import RunId
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy
from pipelines.spec import Pipeline, spec_sha256
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

CHAIN = (
    phase("one", "sleep"),
    phase("side", "sleep"),
    phase("two", "sleep", inputs={"seed": "gold.one"}),
    {"name": "check", "kind": "validate", "table": "gold.two", "expect": [{"rows": {"min": 1}}]},
    {"name": "show", "kind": "publish", "table": "gold.one", "to": {"artifact": {}}},
)


@contextmanager
def hands(world: World) -> Iterator[tuple[Rpc, Backfills]]:
    with connect(world.url, autocommit=True) as connection:
        yield Rpc(connection), Backfills(connection)


def submitted(world: World, *phases: Mapping[str, object], executors: bool = True, **more: object) -> RunId:
    """A run of these phases that has ended."""
    if executors:
        world.start_executor()
    before = len(world.rows("select 1 from ops.runs"))
    run = world.submit(pipeline(*phases), {"seconds": 0, **more}, max_attempts=1)
    world.wait_until_finished(before + 1)
    return run


def retried(world: World, run: RunId, from_phase: str | None = None, latest: bool = False) -> RunId:
    """The retry, ended; what was said of it before is what it did."""
    before = len(world.rows("select 1 from ops.runs"))
    with hands(world) as (rpc, backfills):
        told = backfills.preview(run, "latest" if latest else "retry", from_phase)
        assert len(world.rows("select 1 from ops.runs")) == before, "a preview makes nothing"
        made = rpc.retry_run(run, from_phase, latest)
    world.wait_until_finished(before + 1)
    assert {one.name for one in told if one.again} == set(carried_out(world, made))
    return made


def carried_out(world: World, run: RunId) -> list[object]:
    return [
        name
        for (name,) in world.rows("select name from ops.run_phases where run_id = %s and attempt > 0 order by 1", run)
    ]


def state(world: World, run: RunId) -> tuple[object, ...]:
    [found] = world.rows("select status, trigger, error_code, error_message from ops.runs where id = %s", run)
    return found


def artifacts(world: World, run: RunId) -> list[tuple[object, ...]]:
    return world.rows(
        "select phase, name, sha256 from ops.run_artifacts where run_id = %s and name not like 'log.%%' order by 1, 2",
        run,
    )


def verified(world: World, run: RunId) -> None:
    report = verify_run(Settings.load(home=world.home, database_url=world.url, project="faults"), run)
    assert report.ok, report


def changed_seed(world: World, rows: Sequence[int]) -> None:
    path = str(world.home / "lake/default/faults/dev/bronze/seed")
    pl.DataFrame({"id": rows}).write_delta(path, mode="overwrite")


def register(world: World, spec: Pipeline) -> None:
    with hands(world) as (rpc, _):
        rpc.register_pipeline(world.project_id, spec.pipeline, spec.to_json(), spec_sha256(spec), "1" * 40)


def test_from_a_phase_it_and_what_depends_on_it_is_done_again(world: World) -> None:
    run = submitted(world, *CHAIN)
    changed_seed(world, [1])
    again = retried(world, run, "two")
    assert state(world, again)[:2] == ("succeeded", "retry")
    assert carried_out(world, again) == ["check", "two"]
    # The pinned version of gold.one was read, and the table has a commit of the new run's own.
    assert (world.effects("gold.two").height, world.delta_commits("gold.two")) == (10, 2)
    assert world.delta_commits("gold.one") == 1
    assert artifacts(world, again) == artifacts(world, run) != []
    verified(world, again)
    [(manifest,)] = world.rows("select output_manifest -> 'tables' from ops.runs where id = %s", again)
    assert manifest == {"gold.one": 0, "gold.side": 0, "gold.two": 1}
    # A retry of that retry stands on all of it.
    third = retried(world, again, "check")
    assert (carried_out(world, third), world.delta_commits("gold.two")) == (["check"], 2)
    verified(world, third)


def test_a_retry_of_a_retry_from_a_phase_finds_what_that_one_committed(world: World, tmp_path: Path) -> None:
    """The second of two phases fails, so the retry's commit of the first is known by the retry and not by the first run."""
    tries = tmp_path / "tries"
    run = submitted(
        world, phase("one", "sleep"), phase("last", "stumble", inputs={"seed": "gold.one"}), tries=str(tries)
    )
    second = retried(world, run, "one")
    assert (state(world, second)[0], world.delta_commits("gold.one")) == ("failed", 2)
    [(effect,)] = world.rows("select effect_of from ops.run_phases where run_id = %s and name = 'one'", second)
    assert str(effect) == str(second)
    third = retried(world, second)
    assert (state(world, third)[0], carried_out(world, third)) == ("succeeded", ["last"])
    assert world.delta_commits("gold.one") == 2
    verified(world, third)


def test_on_the_newest_definition_only_when_it_is_asked_for(world: World) -> None:
    run = submitted(world, *CHAIN)
    fewer = {
        "name": "two", "kind": "transform", "inputs": {"one": "gold.one", "seed": "bronze.seed"},
        "sql": "select one.id from one join seed on one.id = seed.id", "output": {"table": "gold.two"},
    }  # fmt: skip
    register(world, pipeline(*(fewer if each["name"] == "two" else each for each in CHAIN)))
    changed_seed(world, [1, 2])
    old = retried(world, run, "two")
    assert world.effects("gold.two").height == 10, "the definition and the inputs of then"
    new = retried(world, run, "two", latest=True)
    assert state(world, new)[:2] == ("succeeded", "retry")
    assert sorted(world.effects("gold.two")["id"]) == [1, 2]
    # What stands was made by another definition, of other inputs: whoever asked has said that it stands.
    assert (carried_out(world, new), world.delta_commits("gold.one")) == (["check", "two"], 1)
    versions = world.rows(
        "select pipeline_version from ops.runs where id = any(%s) order by created_at", [run, old, new]
    )
    assert versions == [(1,), (1,), (2,)]
    with hands(world) as (rpc, _), pytest.raises(Conflict, match="version 2 of little has not succeeded in dev"):
        Tenancy(rpc.source).promote_pipeline(world.project_id, "little", 2, "stage")
    with pytest.raises(NotFound, match=r"there is no phase 'three' in run .*; it has one, side, two, check, show"):
        retried(world, run, "three", latest=True)


def test_all_of_a_failed_run_on_the_newest_definition(world: World) -> None:
    run = submitted(world, phase("one", "sleep"), phase("two", "die", inputs={"seed": "gold.one"}))
    assert state(world, run)[0] == "failed"
    register(world, pipeline(phase("one", "sleep"), phase("two", "sleep", inputs={"seed": "gold.one"})))
    changed_seed(world, [7])
    new = retried(world, run, latest=True)
    assert (state(world, new)[0], carried_out(world, new)) == ("succeeded", ["one", "two"])
    assert world.effects("gold.two")["id"].to_list() == [7]
    assert world.rows("select root_run from ops.runs where id = %s", new) == [(None,)]


def appending(name: str) -> dict[str, object]:
    return phase(name, "sleep", output={"table": f"gold.{name}", "mode": "append"})


def test_rows_that_were_appended_are_not_appended_again(world: World) -> None:
    run = submitted(world, appending("one"), phase("two", "sleep", inputs={"seed": "gold.one"}))
    said = r"phase 'one' of run .* cannot be carried out again: it appends, and has done so"
    with hands(world) as (rpc, backfills):
        for attempt in (
            lambda: rpc.retry_run(run, "one"),
            lambda: backfills.preview(run, "retry", "one"),
            lambda: backfills.replay(run),
            lambda: rpc.retry_run(run, "one", True),
        ):
            with pytest.raises(IllegalTransition, match=said):
                attempt()
    retried(world, run, "two")
    assert world.effects("gold.one").height == 10
    assert len(world.rows("select 1 from ops.runs")) == 2


def replayed(world: World, run: RunId) -> RunId:
    before = len(world.rows("select 1 from ops.runs"))
    with hands(world) as (_, backfills):
        told = backfills.preview(run, "replay")
        made = backfills.replay(run)
    world.wait_until_finished(before + 1)
    assert {one.name for one in told if one.again} == set(carried_out(world, made))
    return made


def test_a_replay_does_all_of_it_again_on_the_inputs_of_then(world: World) -> None:
    run = submitted(world, *CHAIN)
    changed_seed(world, [1])
    again = replayed(world, run)
    assert state(world, again)[:2] == ("succeeded", "replay")
    assert carried_out(world, again) == ["check", "one", "show", "side", "two"]
    assert [world.delta_commits(f"gold.{name}") for name in ("one", "side", "two")] == [2, 2, 2], "nothing is adopted"
    assert world.rows("select count(*) from ops.dataset_versions where adopted") == [(0,)]
    made = "select name, output_fingerprint from ops.run_phases where run_id = %s order by 1"
    assert world.rows(made, again) == world.rows(made, run)
    verified(world, again)
    replayed(world, again)


def test_what_was_made_from_newer_inputs_is_not_replaced_by_a_replay(world: World) -> None:
    run = submitted(world, *CHAIN)
    changed_seed(world, [1])
    newer = submitted(world, *CHAIN, executors=False)
    said = (
        rf"gold\.\w+ was written since by run {newer} from bronze\.seed version 1, and run {run} has pinned version 0, "
        "which is older; submit a new run"
    )
    with hands(world) as (rpc, backfills):
        with pytest.raises(Conflict, match=said):
            backfills.replay(run)
        with pytest.raises(Conflict, match=said):
            rpc.retry_run(run, "two")
    # It may have come between the look and the commit: there it is refused as well.
    with connect(world.url, autocommit=True) as connection:
        connection.execute(
            "create or replace function private.refuse_older(p_old ops.runs) returns void language plpgsql "
            "set search_path = pg_catalog, pg_temp as 'begin end'"
        )
        late = Backfills(connection).replay(run)
    world.wait_until_finished(3)
    assert state(world, late)[::2] == ("failed", "CONFLICT")
    assert "which is older; submit a new run" in str(state(world, late)[3])
    assert world.effects("gold.two")["id"].to_list() == [1]


@pytest.mark.parametrize("way", ["retry", "latest", "replay"])
def test_only_an_ended_run_can_be_done_again(world: World, way: str) -> None:
    run = world.submit(pipeline(phase("one", "sleep")), {"seconds": 0})
    with hands(world) as (rpc, backfills):
        with pytest.raises(IllegalTransition, match="is queued; only an ended run can be re"):
            backfills.preview(run, way, None if way == "replay" else "one")
        rpc.cancel_run(run, "no")
        if way == "replay":
            with pytest.raises(IllegalTransition, match="ended before it had pinned its inputs"):
                backfills.replay(run)
        else:
            assert [one.again for one in backfills.preview(run, way)] == [True]


def test_what_an_ingest_landed_is_what_is_replayed(world: World, odoo_database: str) -> None:
    world.give_secret("odoo_dsn", odoo_database)
    source = {"kind": "postgres", "dsn": "secret://file/odoo_dsn"}
    land = {"name": "land", "kind": "ingest", "source": source, "contract": "odoo", "tables": ["res_partner"]}
    run = submitted(world, land, phase("last", "sleep", inputs={"seed": "bronze.res_partner"}))
    again = replayed(world, run)
    assert (state(world, again)[0], carried_out(world, again)) == ("succeeded", ["last"])
    assert world.delta_commits("bronze.res_partner") == 1
    verified(world, again)
    with (
        hands(world) as (rpc, _),
        pytest.raises(IllegalTransition, match="'land' .* reads a source, which has moved on"),
    ):
        rpc.retry_run(run, "land")
