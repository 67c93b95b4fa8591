"""A long history: what a schema looks like after a year, so that a plan that walks through it is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

# Three of sixteen runs are queued, the others have ended.
RUNS, PROJECTS, QUIET = 160_000, 20, "quiet"
# A table that is read from end to end is small until here.
SMALL_SCAN = 500
Result = TypeVar("Result")

# Straight into the tables: through the RPCs it would take minutes. Run i is older than run i + 1.
FILL = """
select ops.ensure_project('crowd', 'p' || n) from generate_series(1, %(projects)s) as n;
insert into ops.executors (id, name) values ('00000000-0000-0000-0000-000000000001', 'tester');
create temp table made on commit drop as
  select private.new_id() as id, p.ids[1 + i %% %(projects)s] as project_id, i,
    clock_timestamp() - (%(runs)s - i) * interval '10 seconds' as at, i %% 16 > 2 as ended
  from generate_series(1, %(runs)s) as i,
    (select array_agg(id) as ids from ops.projects where slug like 'p%%') as p;
insert into ops.runs (
  id, project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, available_at, created_at,
  finished_at, idempotency_key, error_message)
select id, project_id, 'dev', 'demo', 1, '{}', 's', 'g', case when ended then 'succeeded' else 'queued' end, i, at, at,
  case when ended then at end, 'key' || i, case when i %% 16000 = 1 then 'seldom seen' end
from made order by i;
insert into ops.run_phases (run_id, ordinal, project_id, name, kind)
select id, 1, project_id, 'bronze', 'ingest' from made order by i;
insert into ops.run_events (run_id, seq, ts, project_id, type, hash)
select id, 1, clock_timestamp(), project_id, 'RUN_CREATED', '\\x' from made order by i;
insert into ops.run_artifacts (run_id, project_id, name, kind, sha256, byte_size, content_type, uri)
select id, project_id, 'a', 'query', repeat('0', 64), 1, 'text/plain', 'file:///a' from made where ended order by i;
insert into ops.run_scores (run_id, project_id, score, breakdown) select id, project_id, 90, '{}' from made where ended;
insert into ops.datasets (project_id, env, layer, name, version)
select id, 'dev', 'silver', 'orders', 0 from ops.projects where slug like 'p%%';
insert into ops.dataset_versions (
  dataset_id, project_id, version, run_id, phase, lease_token, mode, rows, total_rows, byte_size, fingerprint, columns)
select d.id, m.project_id, m.i, m.id, 'bronze', 1, 'replace', 1, 1, 1, 'f', '{}'
from made m join ops.datasets d on d.project_id = m.project_id where m.ended;
update ops.datasets d
set version = (select max(v.version) from ops.dataset_versions v where v.dataset_id = d.id);
insert into ops.lineage_edges (output_id, project_id, input_table, input_version)
select id, project_id, 'bronze.orders', version from ops.dataset_versions;
insert into ops.queue_turns select distinct project_id, 100, %(runs)s from made
"""
# Small by nature: reading one whole is the best plan.
SMALL = frozenset({
    "orgs", "projects", "memberships", "executors", "pipelines", "caps", "capabilities", "queue_turns", "run_leases",
    "signal_weights", "datasets", "pools", "prices", "bi_objects",
})  # fmt: skip


def fill(connection: psycopg.Connection, runs: int = RUNS) -> None:
    """Fills the schema; statistics are the caller's: ``vacuum analyze`` is what autovacuum would do within a minute."""
    numbers = {"projects": PROJECTS, "runs": runs}
    with connection.transaction():
        for statement in FILL.split(";"):
            connection.execute(psycopg.ClientCursor(connection).mogrify(statement, numbers).encode())


def reading(connection: psycopg.Connection, ask: Callable[[], Result]) -> tuple[Result, dict[str, int], set[str]]:
    """What ``ask`` gave, how many rows of each large table it read for that, and which of them it read from end to end."""
    with connection.transaction():
        # Rows that a parallel worker reads are not in this session's counts.
        connection.execute("set local max_parallel_workers_per_gather = 0")
        before = _counts(connection)
        answer = ask()
        after = _counts(connection)
    read = {
        table: (scanned - before.get(table, (0, 0))[0], fetched - before.get(table, (0, 0))[1])
        for table, (scanned, fetched) in after.items()
    }
    rows = {table: sum(counts) for table, counts in read.items() if any(counts)}
    return answer, rows, {table for table, (scanned, _) in read.items() if scanned > SMALL_SCAN}


def _counts(connection: psycopg.Connection) -> dict[str, tuple[int, int]]:
    """Rows read by sequential scans and rows fetched through an index, in this transaction, by table."""
    query = """
        select regexp_replace(relname, '^run_events_.*', 'run_events'), sum(seq_tup_read)::int,
          sum(coalesce(idx_tup_fetch, 0))::int
        from pg_stat_xact_user_tables
        where schemaname = 'ops' and relname <> all (%s)
        group by 1
    """
    return {
        name: (scanned, fetched) for name, scanned, fetched in connection.execute(query, [sorted(SMALL)]).fetchall()
    }
