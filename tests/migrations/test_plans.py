"""Plans after a long history: what is asked all day reads the rows that it needs, however many there are.

Not the text of a plan is looked at but what was read: the server counts it, for statements inside functions as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ops.database import AUTHENTICATED
from ops.limits import Limits
from ops.model import NewPhase, PhaseStatus, RunId, RunStatus
from ops.reads import Reads
from ops.rpc import Rpc
from ops.run_filter import RunFilter
from ops.sql import queries
from ops.tenancy import Tenancy
from ops.upkeep import Upkeep
from tests.migrations.history import QUIET, RUNS, fill, reading
from tests.operating import SPEC
from tests.postgres import Databases

EXECUTOR_ID = uuid.UUID(int=1)
PLANS = ("force_custom_plan", "force_generic_plan")
# A page of 50 in each of 20 projects before they are merged, with what hangs on it.
PAGES = 3_000


@pytest.fixture(scope="module")
def old(databases: Databases, template: str) -> Iterator[psycopg.Connection]:
    """The owner's connection to a database with a long history, in autocommit."""
    with databases.clone(template) as url, psycopg.connect(url, autocommit=True) as connection:
        fill(connection)
        connection.execute("vacuum analyze")
        rpc, people = Rpc(connection), Tenancy(connection)
        for project in ("p1", "p2"):
            rpc.ensure_project("crowd", project)
            people.set_member("crowd", project, "someone", "viewer")
        rpc.ensure_project("crowd", QUIET)
        people.set_member("crowd", QUIET, "newcomer", "viewer")
        connection.execute("alter table ops.runs set (autovacuum_enabled = off)")
        yield connection


def a_run(connection: psycopg.Connection) -> RunId:
    query = (
        "select r.id from ops.runs r join ops.projects p on p.id = r.project_id where p.slug = 'p1' limit 1 offset 3000"
    )
    [[run_id]] = connection.execute(query).fetchall()
    return RunId(run_id)


# Every statement of reads.sql, by name, and how many rows of the large tables it may read.
ASKED: dict[str, tuple[Callable[[Reads, RunId], object], int]] = {
    "project_id": (lambda reads, _: reads.project_id("crowd", "p1"), 0),
    "is_member": (lambda reads, _: reads.is_member(), 0),
    "list_runs": (lambda reads, _: reads.list_runs(), PAGES),
    "run": (lambda reads, run: reads.run(run), 10),
    "runs_by_prefix": (lambda reads, run: reads.resolve_run(str(run)), 10),
    # Besides the last hour the whole queue, which here is as long as hardly ever.
    "status_counts": (
        lambda reads, _: reads.status_counts(datetime.now(UTC) - timedelta(hours=1)),
        PAGES + RUNS * 3 // 16,
    ),
    "phases": (lambda reads, run: reads.phases(run), 10),
    "phase_results": (lambda reads, run: reads.phase_results(run), 10),
    "phase_effects": (lambda reads, run: reads.phase_effects(run), 10),
    "events": (lambda reads, run: reads.events(run), 10),
    "artifacts": (lambda reads, run: reads.artifacts(run), 10),
    "datasets": (lambda reads, _: reads.datasets(), 100),
    "dataset_versions": (lambda reads, run: reads.dataset_versions(run), 10),
    # A look at everything, by hand.
    "recorded_versions": (lambda reads, _: reads.recorded_versions(reads.project_id("crowd", "p1"), "dev"), 20_000),
    "check_results": (lambda reads, run: reads.check_results(run), 40),
    "executors": (lambda reads, _: reads.executors(), 0),
}


def test_no_statement_is_left_out() -> None:
    assert set(ASKED) == set(queries("reads"))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("subject", [None, "someone"], ids=["as the owner", "as a member"])
@pytest.mark.parametrize("name", ASKED)
def test_a_page_reads_a_page(old: psycopg.Connection, name: str, subject: str | None, plan: str) -> None:
    ask, most = ASKED[name]
    run_id = a_run(old)
    reads = Reads(old, AUTHENTICATED, {"sub": subject}) if subject else Reads(old)
    with old.transaction(force_rollback=True):
        old.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        answer, rows, whole = reading(old, lambda: ask(reads, run_id))
    assert answer is not None
    assert whole == set()
    assert sum(rows.values()) <= most, rows


@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
def test_deep_pages_read_no_more(old: psycopg.Connection, plan: str) -> None:
    reads = Reads(old, AUTHENTICATED, {"sub": "someone"})
    last = None
    with old.transaction(force_rollback=True):
        old.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        for _ in range(8):
            page, rows, whole = reading(old, lambda: reads.list_runs(limit=50, before=last))  # noqa: B023
            last = (page[-1].created_at, page[-1].run_id)
            assert (len(page), whole) == (50, set())
            # The page's lines, and a page's entries of each of the two projects where a vacuum could not mark them.
            assert sum(rows.values()) <= 150, rows


def test_what_few_runs_are_is_found_among_the_latest(old: psycopg.Connection) -> None:
    ask = Reads(old, AUTHENTICATED, {"sub": "someone"}).list_runs
    page, rows, whole = reading(old, lambda: ask(RunFilter(status=(RunStatus.QUEUED,)), limit=10))
    assert (len(page), whole) == (10, set())
    assert sum(rows.values()) <= 300, rows


# What a person may look for in a long history → how many runs there are of it in all projects.
SELDOM = {
    "failed": RunFilter(status=(RunStatus.FAILED,)),
    "unfinished or failed": RunFilter(
        status=(RunStatus.RUNNING, RunStatus.CLAIMED, RunStatus.FAILED, RunStatus.CANCELED)
    ),
    "a pipeline": RunFilter(pipeline="yearly"),
    "a word": RunFilter(text="seldom"),
    "a tag": RunFilter(tags={"ticket": "OPS-17"}),
    "a time": RunFilter(until=datetime(2020, 1, 1, tzinfo=UTC)),
}


@pytest.mark.parametrize("name", SELDOM)
def test_what_is_rare_is_found_without_a_walk(old: psycopg.Connection, name: str) -> None:
    ask = Reads(old, AUTHENTICATED, {"sub": "someone"}).list_runs
    _, rows, whole = reading(old, lambda: ask(SELDOM[name]))
    assert whole == set()
    assert sum(rows.values()) <= 40, rows


def test_a_newcomer_does_not_pay_for_the_crowd(old: psycopg.Connection) -> None:
    page, rows, whole = reading(old, Reads(old, AUTHENTICATED, {"sub": "newcomer"}).list_runs)
    assert (page, rows, whole) == ([], {}, set())


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("batch", [1, 10])
def test_a_claim_reads_what_it_takes(old: psycopg.Connection, plan: str, batch: int) -> None:
    rpc = Rpc(old)
    with old.transaction(force_rollback=True):
        old.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        for _ in range(8):
            taken, rows, whole = reading(old, lambda: rpc.claim_run(EXECUTOR_ID, max_runs=batch))
            assert (len(taken), whole) == (batch, set())
            # Found, locked, updated, returned with its phase: each run a few times, no other.
            assert sum(rows.values()) <= 20 * batch, rows


def test_a_plan_made_while_the_queue_was_empty_serves_the_rush(database: str, connection: psycopg.Connection) -> None:
    with psycopg.connect(database, autocommit=True) as early:
        rpc = Rpc(early)
        for _ in range(8):
            assert rpc.claim_run(EXECUTOR_ID) == []
        fill(connection, runs=20_000)
        taken, rows, _ = reading(early, lambda: rpc.claim_run(EXECUTOR_ID))
    assert len(taken) == 1
    assert sum(rows.values()) <= 20, rows


def test_a_claim_under_a_cap_steps_along_the_same_index(old: psycopg.Connection) -> None:
    rpc = Rpc(old)
    with old.transaction(force_rollback=True):
        old.execute("""
            insert into ops.caps (key, org_id, amount, period)
            select 'runs', id, 100, 'concurrent' from ops.orgs where slug = 'crowd'
        """)
        taken, rows, whole = reading(old, lambda: rpc.claim_run(EXECUTOR_ID, max_runs=5))
    assert (len(taken), whole) == (5, set())
    assert sum(rows.values()) <= 300, rows


# Limits that a claim may meet → the statements that make them, whose first project has 1,500 runs before everybody else's.
LIMITS = {
    "a month of charges": """
        insert into ops.caps (key, org_id, amount, period)
          select 'month', id, 1000000, 'month' from ops.orgs where slug = 'crowd';
        alter table ops.cap_usage disable trigger count_usage;
        insert into ops.cap_usage (cap_id, amount) select id, 1 from ops.caps, generate_series(1, 20000);
        alter table ops.cap_usage enable trigger count_usage;
        insert into private.cap_windows
          select cap_id, private.period_start('month', min(used_at)), sum(amount) from ops.cap_usage group by cap_id
    """,
    "seats given back": """
        insert into ops.caps (key, org_id, amount, period)
          select 'seats', id, 9, 'concurrent' from ops.orgs where slug = 'crowd';
        insert into ops.cap_usage (cap_id, amount, released_at) select id, 1, now() from ops.caps, generate_series(1, 20000)
    """,
    "a full project": """
        insert into ops.caps (key, org_id, project_id, amount, period)
          select 'none', org_id, id, 0, 'day' from ops.projects where slug = 'p1';
        update ops.runs set priority = 1
          where status = 'queued' and project_id = (select id from ops.projects where slug = 'p1')
    """,
    "a full pool": """
        insert into ops.pools (org_id, name, slots) select id, 'source', 0 from ops.orgs where slug = 'crowd';
        update ops.runs set priority = 1, pools = '{"source": 1}'
          where status = 'queued' and project_id = (select id from ops.projects where slug = 'p1')
    """,
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_claim_under_limits_walks_through_nothing(old: psycopg.Connection, limit: str) -> None:
    """Neither through what was charged nor through what is held back."""
    rpc = Rpc(old)
    with old.transaction(force_rollback=True):
        for statement in LIMITS[limit].split(";"):
            old.execute(statement.encode())
        taken, rows, whole = reading(old, lambda: rpc.claim_run(EXECUTOR_ID, max_runs=2))
        assert (len(taken), whole) == (2, set())
        # The 20 projects' first runs, once to find the groups and once a run, and what is done to those taken.
        assert sum(rows.values()) <= 200, rows


def test_what_a_run_waits_for_is_found_without_a_walk(old: psycopg.Connection) -> None:
    [[last]] = old.execute("select id from ops.runs where status = 'queued' order by turn desc limit 1").fetchall()
    with old.transaction(force_rollback=True):
        old.execute("update ops.executors set last_seen = clock_timestamp(), state = 'active'")
        found, rows, whole = reading(old, lambda: Limits(old).why_waiting(RunId(last)))
    assert found is not None
    assert (found.data, whole) == ({"ahead": 1000}, set())
    assert sum(rows.values()) <= 1_100, rows


@pytest.mark.parametrize("plan", PLANS)
def test_a_runs_whole_life_costs_the_same_in_an_old_schema(old: psycopg.Connection, plan: str) -> None:
    rpc = Rpc(old)
    project = rpc.ensure_project("crowd", QUIET)
    with old.transaction(force_rollback=True):
        old.execute("select set_config('plan_cache_mode', %s, true)", [plan])

        def life() -> None:
            made = rpc.create_run(
                project, "dev", "demo", SPEC, "5" * 64, "a" * 40, [NewPhase("bronze", "ingest")], idempotency_key="one",
                priority=1,
            )  # fmt: skip
            [run] = rpc.claim_run(EXECUTOR_ID)
            assert run.run_id == made
            token = run.lease_token
            rpc.start_run(made, token)
            rpc.hold_run(made, token)
            rpc.heartbeat_run(made, token)
            rpc.start_phase(made, token, "bronze", event_id=uuid.uuid4())
            rpc.finish_phase(made, token, "bronze", PhaseStatus.SUCCEEDED, {})
            rpc.complete_run(made, token, {})
            rpc.compute_run_score(made)
            assert rpc.verify_event_chain(made).ok
            assert rpc.requeue_stale_runs() == 0

        _, rows, whole = reading(old, life)
    assert whole == set()
    assert sum(rows.values()) <= 200, rows


def test_the_steward_finds_what_it_looks_for_without_reading_history(old: psycopg.Connection) -> None:
    rpc = Rpc(old)
    with old.transaction(force_rollback=True):
        for run in rpc.claim_run(EXECUTOR_ID, lease_seconds=0.001, max_runs=20):
            assert run.attempt == 1
        requeued, rows, whole = reading(old, rpc.requeue_stale_runs)
        assert (requeued, whole) == (20, set())
        assert sum(rows.values()) <= 20 * 30, rows
        _, rows, whole = reading(old, lambda: Upkeep(old).score_ended_runs(50))
        # A day of runs is looked through for those without a score; how the scores are read is the planner's choice.
        assert whole <= {"run_scores"}
        assert rows["runs"] <= 15_000, rows


def test_reading_everything_would_be_noticed(old: psycopg.Connection) -> None:
    _, rows, whole = reading(old, lambda: old.execute("select max(git_sha) from ops.runs").fetchone())
    assert (whole, rows["runs"] > 100_000) == ({"runs"}, True)
    with old.transaction(force_rollback=True):
        old.execute("drop index ops.runs_queue")
        _, rows, whole = reading(old, lambda: Rpc(old).claim_run(EXECUTOR_ID))
        assert whole == {"runs"}
