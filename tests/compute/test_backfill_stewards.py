"""Stewards that come together to one backfill: its row's lock or its runs' keys are enough, and one of them is needed."""

from __future__ import annotations

import threading

import psycopg
import pytest

from ops.backfills import Backfills, ChunkRow
from ops.database import connect
from tests.compute.desk import YEAR, Desk

UNLOCKED = """
create or replace function ops.advance_backfills(p_limit int default 500) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare v_backfill ops.backfills; v_moved int := 0;
begin
  for v_backfill in select b.* from ops.backfills b where b.state = 'active' loop
    v_moved := v_moved + private.advance_backfill(v_backfill);
  end loop;
  return v_moved;
end $$
"""


def _keyless(connection: psycopg.Connection) -> None:
    row = connection.execute("select pg_get_functiondef('private.chunk_run'::regproc)").fetchone()
    assert row is not None
    keyless = str(row[0]).replace(
        "pg_catalog.format('backfill:%s:%s:%s', p_backfill.id, p_chunk.chunk, p_chunk.tries + 1)", "null"
    )
    assert keyless != row[0]
    connection.execute(keyless.encode())


@pytest.mark.parametrize(("lock", "key"), [(True, True), (False, True), (True, False), (False, False)])
def test_stewards_that_come_together_make_each_run_once(desk: Desk, lock: bool, key: bool) -> None:
    """Two that both think themselves elected. The row's lock or the key is enough; without both a chunk has two runs."""
    backfill = desk.started(YEAR, max_parallel=3)
    if not lock:
        desk.connection.execute(UNLOCKED)
    if not key:
        _keyless(desk.connection)
    with psycopg.connect(desk.operator.url) as first:
        Backfills(first).advance()
        # The first has not committed: the second neither sees its runs nor, without the lock, waits before it makes its own.
        other = threading.Thread(target=_advance_elsewhere, args=[desk.operator.url])
        other.start()
        _wait_until_over_or_blocked(desk, other)
        first.commit()
        other.join(60)
    chunks: list[ChunkRow] = desk.backfills.chunks(backfill)
    assert sum(chunk.state == "queued" for chunk in chunks) == 3
    assert (desk.count("ops.runs") == 3) == (lock or key)


def _advance_elsewhere(url: str) -> None:
    with connect(url, autocommit=True) as connection:
        Backfills(connection).advance()


def _wait_until_over_or_blocked(desk: Desk, thread: threading.Thread) -> None:
    blocked = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while thread.is_alive() and not desk.count(blocked):
        thread.join(0.02)
