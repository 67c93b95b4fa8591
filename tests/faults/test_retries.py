"""A run that ends between its commit and its last word, and its retry: the effect is in the table once."""

from __future__ import annotations

import uuid
from contextlib import closing

import polars as pl
import pytest

from ops.database import EXECUTOR, connect
from ops.fence import DatabaseFence, connector
from ops.model import NewPhase, RunId, Scope, Trigger
from ops.rpc import Rpc
from pipelines.lake import CommitRef, Lake
from pipelines.spec import Pipeline, spec_sha256
from tests.faults.invariants import SEED_ROWS
from tests.faults.world import World


class Stopped(Exception):
    """The owner goes no further."""


def committed_and_canceled(world: World, run: RunId, until: str) -> None:
    """Owns the run, commits its effect up to that step, and honours a cancel."""
    lake = Lake(str(world.home / "lake"), Scope("default", "faults", "dev"))

    def at(step: str) -> None:
        if step == until:
            raise Stopped(step)

    with connect(world.url, EXECUTOR, autocommit=True) as connection:
        rpc, me = Rpc(connection), uuid.uuid4()
        rpc.register_executor(me, "short-lived")
        [claimed] = rpc.claim_run(me)
        assert claimed.run_id == run
        mine = claimed.run_id, claimed.lease_token
        rpc.start_run(*mine)
        rpc.start_phase(*mine, "effect")
        rows = pl.DataFrame({"name": ["only"] * SEED_ROWS, "id": range(SEED_ROWS)})
        ref = CommitRef(*mine, "effect", effect_of=claimed.root_run)
        fence = DatabaseFence(connector(world.url), *mine, "effect")
        with closing(fence), pytest.raises(Stopped):
            lake.commit(fence, ref, "gold.effect", rows, "append", key=["name", "id"], at=at)
        rpc.release_canceled_run(*mine, "enough")


def retried(world: World, run: RunId) -> RunId:
    with connect(world.url, autocommit=True) as connection:
        return Rpc(connection).retry_run(run)


@pytest.mark.parametrize("until", ["committed", "released"], ids=["not recorded", "recorded"])
def test_a_retry_finds_what_the_run_before_it_committed(world: World, fault_run: Pipeline, until: str) -> None:
    run = world.submit(fault_run, {"name": "only", "seconds": 0.0})
    committed_and_canceled(world, run, until)
    # The retry is retried: what counts is the line, not the run before.
    second = retried(world, run)
    with connect(world.url, autocommit=True) as connection:
        Rpc(connection).cancel_run(second, "again")
    retried(world, second)
    world.start_executor()
    world.wait_until_finished(3)
    assert world.rows("select status, trigger from ops.runs order by created_at") == [
        ("canceled", "manual"), ("canceled", "retry"), ("succeeded", "retry"),
    ]  # fmt: skip
    assert world.effects("gold.effect").height == SEED_ROWS
    assert world.delta_commits("gold.effect") == 1
    [(manifest,)] = world.rows("select output_manifest -> 'tables' from ops.runs where status = 'succeeded'")
    assert manifest == {"gold.effect": 0}
    assert world.rows("select version from ops.dataset_versions") == [(0,)]


@pytest.mark.parametrize("trigger", [Trigger.REPLAY, Trigger.BACKFILL, Trigger.RETRY])
def test_only_a_retry_that_the_database_made_adopts(world: World, fault_run: Pipeline, trigger: Trigger) -> None:
    run = world.submit(fault_run, {"name": "only", "seconds": 0.0})
    committed_and_canceled(world, run, "released")
    with connect(world.url, autocommit=True) as connection:
        # Whoever makes a run by hand can name it anything; it may have other parameters.
        Rpc(connection).create_run(
            world.project_id, "dev", fault_run.pipeline, fault_run.to_json(), spec_sha256(fault_run), "0" * 40,
            [NewPhase(one.name, str(one.kind), tuple(one.depends_on)) for one in fault_run.phases],
            params={"name": "other", "seconds": 0.0}, trigger=trigger, parent_run=run,
        )  # fmt: skip
    world.start_executor()
    world.wait_until_finished(2)
    assert dict(world.effects("gold.effect")["name"].value_counts().iter_rows()) == {
        "only": SEED_ROWS,
        "other": SEED_ROWS,
    }
