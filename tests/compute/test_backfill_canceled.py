"""A backfill is canceled while its runs' leases are renewed: neither waits for the other in a circle."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from ops.backfills import Backfills
from ops.database import EXECUTOR, connect
from ops.model import ClaimedRun, RunId
from ops.rpc import Rpc
from tests.compute.desk import Desk

DAYS = 30
ORDERS = ("as asked", "the other way round", "by chunk")


def owned_out_of_order(desk: Desk) -> tuple[UUID, list[ClaimedRun], list[RunId]]:
    """A backfill whose first half was tried twice, so that early chunks have late runs; its runs, and their ids by chunk."""
    backfill = desk.started(from_="2025-01-01", to=f"2025-01-{DAYS}", max_parallel=DAYS)
    desk.backfills.advance()
    for _ in range(DAYS // 2):
        desk.end_next("BROKEN")
    desk.backfills.advance()
    desk.connection.execute("update ops.runs set available_at = created_at where status = 'queued'")
    runs = desk.operator.executor.claim_run(desk.operator.executor_id, max_runs=DAYS)
    assert len(runs) == DAYS
    by_chunk = [RunId(chunk.run_id) for chunk in desk.backfills.chunks(backfill) if chunk.run_id is not None]
    assert by_chunk != sorted(by_chunk, key=str)
    return backfill, runs, by_chunk


def until_both_wait(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + 30
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while connection.execute(waiting).fetchone() != (2,):
        assert time.monotonic() < deadline, "the cancel and the heartbeat did not come to the leases that are held"
        time.sleep(0.01)


@pytest.mark.parametrize("order", ORDERS)
def test_a_cancel_and_a_heartbeat_lock_leases_in_one_order(desk: Desk, order: str) -> None:
    backfill, runs, by_chunk = owned_out_of_order(desk)
    held: Sequence[RunId] = {
        "as asked": sorted((run.run_id for run in runs), key=str),
        "the other way round": sorted((run.run_id for run in runs), key=str, reverse=True),
        "by chunk": by_chunk,
    }[order]
    tokens = {run.run_id: run.lease_token for run in runs}
    together = threading.Barrier(2)

    def cancel() -> str:
        with connect(desk.operator.url, autocommit=True) as connection:
            together.wait(30)
            return Backfills(connection).cancel(backfill, "enough")

    def renew() -> int:
        with connect(desk.operator.url, EXECUTOR, autocommit=True) as connection:
            together.wait(30)
            asked = {run_id: tokens[run_id] for run_id in held}
            return sum(
                state.held for state in Rpc(connection).heartbeat_runs(desk.operator.executor_id, asked, 30.0, [])
            )

    with psycopg.connect(desk.operator.url) as holder, ThreadPoolExecutor(2) as both:
        # Both get halfway, whichever way they go, and then on at the same moment.
        for run_id in (by_chunk[DAYS // 2 - 1], by_chunk[-1]):
            holder.execute("select from ops.run_leases where run_id = %s for update", [run_id])
        canceled, renewed = both.submit(cancel), both.submit(renew)
        until_both_wait(desk.connection)
        holder.commit()
        assert (canceled.result(60), renewed.result(60)) == ("canceled", DAYS)
    assert desk.count("ops.run_leases where cancel_requested") == DAYS
