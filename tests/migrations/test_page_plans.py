"""Plans of what the control room's pages read, after a long history: a page reads a page, however much there is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from ops.access_reads import Access, AuditFilter
from ops.cap_reads import Caps
from ops.database import AUTHENTICATED, acting_as
from ops.dataset_reads import Datasets
from ops.fleet_reads import Fleet
from ops.home_reads import Home
from ops.model import RunId, Scope
from ops.pipeline_reads import Pipelines
from ops.query_reads import QueryPage
from ops.rpc import Rpc
from ops.run_reads import LogFilter, RunPages
from ops.sql import queries
from ops.tenancy import Tenancy
from tests.migrations.history import fill, reading
from tests.postgres import Databases

RUNS, ENTRIES = 40_000, 20_000
PLANS = ("force_custom_plan", "force_generic_plan")
WEEK = AuditFilter(datetime.now(UTC) - timedelta(days=7))

# What history.fill leaves out: pipelines in two versions, promotions, a long log, and a hundred dashboards in each project.
MORE = """
insert into ops.pipelines (project_id, slug, version, spec, sha256, git_sha)
  select id, 'demo', version, '{}', 's' || version, 'g' from ops.projects, generate_series(1, 2) as version
  where slug like 'p%';
insert into ops.promotions (project_id, pipeline, version, env)
  select id, 'demo', 1, 'stage' from ops.projects, generate_series(1, 50) where slug like 'p%';
insert into ops.audit_log (at, org_id, project_id, subject, acting_role, action, target)
  select clock_timestamp() - i * interval '30 seconds', p.org_id, p.id, 'someone', 'authenticated', 'runs.create', 'x'
  from generate_series(1, 20000) as i
  join lateral (select id, org_id from ops.projects where slug = 'p' || (1 + i % 20)) as p on true;
insert into ops.column_maps (dataset_id, project_id, sha256)
  select d.id, d.project_id, sha256(i::text::bytea) from ops.datasets d, generate_series(1, 100) as i;
insert into ops.column_edges (map_id, project_id, output_column, input_table, input_column, kind, subtype)
  select id, project_id, 'a', 'bronze.orders', 'a', 'DIRECT', 'IDENTITY' from ops.column_maps;
alter table ops.bi_objects disable trigger user;
insert into ops.bi_objects (project_id, env, kind, name, superset_id, digest, dataset_id)
  select d.project_id, d.env, k, 'orders' || n, n, 'd', case when n = 1 and k = 'dataset' then d.id end
  from ops.datasets d, generate_series(1, 100) as n, unnest(array['dataset', 'chart', 'dashboard']) as k;
alter table ops.bi_objects enable trigger user;
insert into ops.caps (key, org_id, amount, period) select 'few', id, 0, 'concurrent' from ops.orgs where slug = 'crowd';
insert into ops.run_phases (
  run_id, ordinal, project_id, name, kind, status, attempt, started_at, finished_at, output_fingerprint)
  select id, n, project_id, 'phase' || n, 'transform', 'succeeded', 1, created_at, created_at, 'o'
  from (select * from ops.runs where status = 'succeeded' order by created_at desc limit 2000) as r,
    generate_series(2, 11) as n;
insert into ops.run_events (run_id, seq, ts, project_id, type, phase, hash)
  select id, n, clock_timestamp(), project_id, 'PHASE_PROGRESS', 'bronze', ''
  from (select * from ops.runs where status = 'succeeded' order by created_at desc limit 40) as r,
    generate_series(2, 3000) as n;
insert into ops.queries (run_id, project_id, env, sql, engine, subject, sees_personal, created_at)
  select id, project_id, env, 'select 1', 'embedded', 'someone', false, created_at from ops.runs
  where status = 'succeeded';
insert into ops.run_artifacts (run_id, project_id, phase, name, kind, sha256, byte_size, content_type, uri)
  select id, project_id, 'query', k, k, repeat('0', 64), 1, 't', 'u' from ops.runs, unnest(array['result', 'saved']) as k
  where status = 'succeeded'
"""
EVENTS = 3_000


@dataclass(frozen=True)
class Old:
    connection: psycopg.Connection
    project: UUID
    dataset: UUID
    run: RunId


@pytest.fixture(scope="module")
def old(databases: Databases, template: str) -> Iterator[Old]:
    """A database with a long history, and something of one project in it."""
    with databases.clone(template) as url, psycopg.connect(url, autocommit=True) as connection:
        fill(connection, RUNS)
        for statement in MORE.split(";"):
            connection.execute(statement.encode())
        connection.execute("vacuum analyze")
        people = Tenancy(connection)
        for name in ("p1", "p2"):
            people.set_member("crowd", name, "someone", "admin")
        project = Rpc(connection).ensure_project("crowd", "p1")
        [[dataset]] = connection.execute("select id from ops.datasets where project_id = %s", [project]).fetchall()
        find = """
        select id from ops.runs where project_id = %s and status = 'succeeded' order by created_at desc limit 1
    """
        [[run]] = connection.execute(find, [project]).fetchall()
        yield Old(connection, project, dataset, RunId(run))


# All there is, from the first or the last one; looked through, whatever is found.
ALL, SELDOM = LogFilter(), LogFilter(text="seldom seen")
Ask = Callable[[psycopg.Connection, Old], object]
# Each statement of the pages → how to ask it, and how many rows of large tables it may read for that.
ASKED: dict[str, dict[str, tuple[Ask, int]]] = {
    "home": {
        # All that was created within a day, and all that has not ended.
        "pipeline_counts": (lambda on, _: Home(on).pipeline_counts(), RUNS),
        # The latest hundred of each pipeline.
        "failing": (lambda on, _: Home(on).failing(5), 20 * 130),
        "parts": (lambda on, _: Home(on).parts(), 0),
    },
    "fleet": {
        "executors": (lambda on, _: Fleet(on).executors(), 0),
        "leases": (lambda on, _: Fleet(on).leases(), 0),
    },
    "pipelines": {
        # A hundred runs of each pipeline on the page.
        "pipelines": (lambda on, _: Pipelines(on).page(), 20 * 130),
        "names": (lambda on, _: Pipelines(on).names(1000), 0),
        # The latest ten of each pipeline until one is found.
        "first_scored": (lambda on, _: Pipelines(on).first_scored(), 20 * 20),
        "pipeline": (lambda on, _: Pipelines(on).one("crowd", "p1", "demo"), 0),
        "history": (lambda on, old: Pipelines(on).history(old.project, "demo"), 70),
        "scored": (lambda on, old: Pipelines(on).scored(old.project, "demo"), 130),
        "phase_states": (lambda on, old: Pipelines(on).phase_states(old.run), 20),
        "versions": (lambda on, old: Pipelines(on).versions(old.project, "demo"), 10),
        "specs": (lambda on, old: Pipelines(on).specs(old.project, "demo", [1, 2]), 10),
        # All of one pipeline.
        "promotions": (lambda on, old: Pipelines(on).promotions(old.project, "demo"), 60),
        "promoted": (lambda on, old: Pipelines(on).promoted(old.project, "demo"), 10),
        "my_envs": (lambda on, old: Pipelines(on).my_envs(old.project, "editor"), 10),
    },
    "datasets": {
        "datasets": (lambda on, _: Datasets(on).page(), 20 * 5),
        "layers": (lambda on, _: Datasets(on).layers(), 0),
        "dataset": (lambda on, old: Datasets(on).one(old.dataset), 10),
        "versions": (lambda on, old: Datasets(on).versions(old.dataset), 210),
        "notes": (lambda on, old: Datasets(on).notes(old.dataset), 10),
        "made_from": (lambda on, old: Datasets(on).made_from(old.dataset), 20),
        "goes_into": (lambda on, old: Datasets(on).goes_into(old.dataset), 20),
        # The newest version of each table of the project.
        "table_graph": (lambda on, old: Datasets(on).graph(old.dataset, 10, 300), 30),
        "column_graph": (lambda on, old: Datasets(on).column_graph(old.dataset, "a", 10, 300), 120),
        "column_sources": (lambda on, old: Datasets(on).column_sources(old.dataset), 120),
    },
    "run_page": {
        "standing": (lambda on, old: RunPages(on).standing(old.run), 10),
        "lines": (lambda on, old: RunPages(on).lines([old.run]), 10),
        "asked_by": (lambda on, old: RunPages(on).asked_by([old.run], "someone"), 10),
        "stale_inputs": (lambda on, old: RunPages(on).stale_inputs(old.run, ["bronze.orders"]), 10),
        # Forty runs of eleven phases.
        "usual": (lambda on, old: RunPages(on).usual(old.run), 40 + 40 * 11 + 10),
        "last_good": (lambda on, old: RunPages(on).last_good(old.run), 2 * 60 + 10),
        # Twenty of them; whether a phase is looked up once or twice is the join's.
        "twins": (lambda on, old: RunPages(on).twins(old.run), 2 * 21 * 12),
        "commits": (lambda on, old: RunPages(on).commits(old.run), 20),
        "log": (lambda on, old: RunPages(on).log(old.run, ALL, 0, EVENTS), 210),
        "tail": (lambda on, old: RunPages(on).tail(old.run, ALL, 0, EVENTS), 210),
        # The log of three thousand is not walked through for its few.
        "lifecycle": (lambda on, old: RunPages(on).lifecycle(old.run), 20),
        "executor_names": (lambda on, _: RunPages(on).executor_names([uuid.uuid4()]), 0),
        "acts": (lambda on, old: RunPages(on).acts(old.run), 10),
        "signals": (lambda on, old: RunPages(on).signals(old.run), 10),
        "repeats": (lambda on, old: RunPages(on).repeats(old.run), 10),
        "downstream": (lambda on, old: RunPages(on).downstream(old.run, ["bronze.orders"]), 30),
        "dashboards": (lambda on, old: RunPages(on).dashboards(old.run, ["silver.orders"]), 10),
    },
    "caps": {
        # Five of each project at the most, and each once more to ask what it waits for.
        "standing": (lambda on, _: Caps(on).standing(), 5 * 2 * 2 + 10),
        # Of each project as many as are shown, and those once more.
        "waiting": (lambda on, _: Caps(on).waiting(Caps(on).standing()[0]), 2 * (20 + 5) * 2 + 10),
        "refused": (lambda on, _: Caps(on).refused(Caps(on).standing()[0]), 10),
    },
    "query_page": {
        "question": (lambda on, old: QueryPage(on).question(old.run), 10),
        "lake_tables": (lambda on, _: QueryPage(on).tables(Scope("crowd", "p1", "dev")), 0),
        "saved": (lambda on, _: QueryPage(on).saved("crowd", "p1"), 30),
        "save_answer": (lambda on, old: QueryPage(on).save(old.run, "mine"), 10),
    },
    "access": {
        "my_reach": (lambda on, _: Access(on).my_reach(), 0),
        "my_roles": (lambda on, _: Access(on).my_roles(), 0),
        # Whether an org that is not the caller's has a run.
        "is_installation_admin": (lambda on, _: Access(on).is_installation_admin(), 20),
        "administered": (lambda on, _: Access(on).administered(), 0),
        "promotions": (lambda on, _: Access(on).promotions(), 100),
        "audit": (lambda on, old: Access(on).audit(old.project, WEEK), 60),
        "audit_of_org": (lambda on, _: Access(on).audit_of_org("crowd", WEEK), 1100),
    },
}  # fmt: skip
# What ops.run_reads never lets be prepared has no plan for every call.
NOT_PREPARED = {("run_page", "log"), ("run_page", "tail")}
EVERY = [(file, name) for file, asked in ASKED.items() for name in asked]


def test_no_statement_of_the_pages_is_left_out() -> None:
    assert {file: set(asked) for file, asked in ASKED.items()} == {file: set(queries(file)) for file in ASKED}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("file", "name"), EVERY)
def test_a_page_reads_a_page(old: Old, file: str, name: str, plan: str) -> None:
    ask, most = ASKED[file][name]
    connection = old.connection
    with connection.transaction(force_rollback=True):
        if (file, name) not in NOT_PREPARED:
            connection.execute("select set_config('plan_cache_mode', %s, true)", [plan])

        def as_member() -> object:
            with acting_as(connection, AUTHENTICATED, {"sub": "someone"}) as asking:
                return ask(asking, old)

        answer, rows, whole = reading(connection, as_member)
    assert answer is not None
    assert whole == set()
    assert sum(rows.values()) <= most, rows


def test_who_is_no_member_reads_nothing(old: Old) -> None:
    with acting_as(old.connection, AUTHENTICATED, {"sub": str(uuid.uuid4())}) as stranger:
        assert Pipelines(stranger).page() == []
        assert Datasets(stranger).page() == []
        assert Access(stranger).audit(old.project, WEEK) == []
        assert Access(stranger).audit_of_org("crowd", WEEK) == []
        assert Access(stranger).promotions() == []
        assert Fleet(stranger).leases() == []
        assert Caps(stranger).standing() == []
        assert RunPages(stranger).log(old.run, ALL, 0, EVENTS) == []
        assert RunPages(stranger).lifecycle(old.run) == []
        assert RunPages(stranger).acts(old.run) == []
        assert RunPages(stranger).usual(old.run) == []
        assert RunPages(stranger).twins(old.run) == []
        assert RunPages(stranger).downstream(old.run, ["bronze.orders"]) == []
        assert RunPages(stranger).dashboards(old.run, ["silver.orders"]) == []


@pytest.mark.parametrize("plan", PLANS)
def test_the_dashboards_on_a_table_are_looked_up(old: Old, plan: str) -> None:
    read = """
        select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relid = 'ops.bi_objects'::regclass
    """
    connection = old.connection
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        [[before]] = connection.execute(read).fetchall()
        with acting_as(connection, AUTHENTICATED, {"sub": "someone"}) as asking:
            [found] = RunPages(asking).dashboards(old.run, ["bronze.orders", "silver.orders"])
        [[after]] = connection.execute(read).fetchall()
    assert found.table == "silver.orders"
    # Of each of the twenty projects one table is published; of six thousand things in Superset no more are looked at.
    assert after - before <= 20 + 10


@pytest.mark.parametrize("plan", PLANS)
def test_what_is_searched_for_in_a_log_is_looked_for_between_its_bounds(old: Old, plan: str) -> None:
    connection = old.connection
    with (
        connection.transaction(force_rollback=True),
        acting_as(connection, AUTHENTICATED, {"sub": "someone"}) as asking,
    ):
        connection.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        for ask in (RunPages(asking).log, RunPages(asking).tail):
            found, rows, whole = reading(connection, lambda: ask(old.run, SELDOM, 1_000, 1_500))  # noqa: B023
            assert (found, whole) == ([], set())
            assert sum(rows.values()) <= 510, rows


@pytest.mark.parametrize("plan", PLANS)
def test_deep_pages_read_no_more(old: Old, plan: str) -> None:
    connection = old.connection
    with (
        connection.transaction(force_rollback=True),
        acting_as(connection, AUTHENTICATED, {"sub": "someone"}) as asking,
    ):
        connection.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        versions, entries = Datasets(asking).versions(old.dataset), Access(asking).audit(old.project, WEEK)
        for _ in range(6):
            before, place = versions[-1].version, (entries[-1].at, entries[-1].id)
            versions, rows, whole = reading(connection, lambda: Datasets(asking).versions(old.dataset, before))  # noqa: B023
            assert (len(versions), whole) == (100, set())
            assert sum(rows.values()) <= 210, rows
            entries, rows, whole = reading(connection, lambda: Access(asking).audit(old.project, WEEK, place))  # noqa: B023
            assert (len(entries), whole) == (50, set())
            assert sum(rows.values()) <= 60, rows
