"""With 60,000 runs behind it, nothing that people or executors wait for reads them all."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from ops.sql import queries
from tests.postgres import Databases

RUNS = 60_000
FILL = f"""
insert into ops.runs (
  project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn, available_at, created_at, finished_at
)
select p.id, 'dev', 'demo', 1, '{{}}', 'x', 'y', case when n % 200 = 0 then 'queued' else 'succeeded' end, n,
  now() - interval '1 hour', now() - n * interval '1 minute', case when n % 200 <> 0 then now() - n * interval '1 minute' end
from generate_series(1, {RUNS}) as n
cross join lateral (select id from ops.projects where slug = 'demo') as p;
insert into ops.run_phases (run_id, ordinal, project_id, name, kind)
select id, 0, project_id, 'only', 'ingest' from ops.runs;
insert into ops.run_events (run_id, seq, ts, project_id, type, hash)
select id, 1, now(), project_id, 'RUN_CREATED', '\\x' from ops.runs;
analyze ops.runs, ops.run_phases, ops.run_events;
"""


@pytest.fixture(scope="module")
def crowded(databases: Databases, template: str) -> Iterator[psycopg.Connection]:
    with databases.clone(template) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.encode())
        connection.execute("load 'auto_explain'")
        yield connection


def rows_read(connection: psycopg.Connection, query: str, arguments: dict[str, object]) -> int:
    """How many rows the plan of a query touched, in all its nodes that read a table."""
    explained = connection.execute(f"explain (analyze, format json) {query}".encode(), arguments).fetchone()
    assert explained is not None
    return _touched(explained[0][0]["Plan"])


def _touched(node: dict[str, object]) -> int:
    plans = node.get("Plans", [])
    assert isinstance(plans, list)
    below = sum(_touched(each) for each in plans)
    if "Scan" not in str(node["Node Type"]):
        return below
    read = float(str(node["Actual Rows"])) + float(str(node.get("Rows Removed by Filter", 0)))
    return below + int(read * float(str(node["Actual Loops"])))


ANYTHING = {
    "org": None,
    "project": None,
    "env": None,
    "pipeline": None,
    "statuses": None,
    "before_at": None,
    "before_id": None,
}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list_runs", {**ANYTHING, "limit": 50}),
        ("list_runs", {**ANYTHING, "limit": 50, "statuses": ["queued"]}),
        ("list_runs", {**ANYTHING, "limit": 50, "before_at": "2026-01-01", "before_id": "0" * 32}),
        ("run", {"run_id": None}),
        ("runs_by_prefix", {"prefix": "01a2"}),
        ("phases", {"run_id": None}),
        ("events", {"run_id": None, "after_seq": 0, "limit": 500}),
    ],
)
def test_a_page_reads_what_it_shows(crowded: psycopg.Connection, name: str, arguments: dict[str, object]) -> None:
    if "run_id" in arguments:
        [[run_id]] = crowded.execute("select id from ops.runs limit 1").fetchall()
        arguments = {**arguments, "run_id": run_id}
    # A status that one run of 200 has: 50 of them are among the latest 10,000.
    most = 12_000 if arguments.get("statuses") else 600
    assert rows_read(crowded, queries("reads")[name], arguments) <= most


def test_a_claim_finds_the_next_run_by_its_index(crowded: psycopg.Connection) -> None:
    """What the function does inside is told by auto_explain, as a notice a statement."""
    plans: list[dict[str, object]] = []
    crowded.add_notice_handler(lambda said: plans.extend(_plans(said.message_primary or "")))
    with crowded.transaction(force_rollback=True):
        executor = "00000000-0000-0000-0000-000000000001"
        crowded.execute("select ops.register_executor(%s, 'e', '{}', '{}', 1, 'h', '0')", [executor])
        for setting in ("log_min_duration = 0", "log_analyze = on", "log_nested_statements = on",
                        "log_format = json", "log_level = notice"):  # fmt: skip
            crowded.execute(f"set local auto_explain.{setting}".encode())
        assert len(crowded.execute("select * from ops.claim_run(%s)", [executor]).fetchall()) == 1
    assert plans, "nothing was explained"
    assert max(_touched(plan) for plan in plans) < 200


def _plans(message: str) -> Iterator[dict[str, object]]:
    _, _, plan = message.partition("plan:\n")
    if plan:
        yield json.loads(plan)["Plan"]
