"""Two teams with a row in every table, so that a matrix of permissions says something."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import psycopg

from ops.database import EXECUTOR, connect
from ops.model import Artifact, PhaseStatus
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.operating import PHASES, SPEC, commit

# What no RPC writes yet. One statement a table; %(project)s and %(org)s are the team's, %(run)s a run of it.
BY_HAND = """
insert into ops.column_maps (dataset_id, project_id, sha256) select id, project_id, '\\x00' from ops.datasets
  where project_id = %(project)s;
insert into ops.column_edges (map_id, project_id, output_column, input_table, input_column, kind, subtype)
  select id, project_id, 'id', 'bronze.sale_order', 'id', 'DIRECT', 'IDENTITY' from ops.column_maps
  where project_id = %(project)s;
insert into ops.dataset_notes (dataset_id, project_id) select id, project_id from ops.datasets where project_id = %(project)s;
insert into ops.dataset_columns (dataset_id, project_id, name) select id, project_id, 'id' from ops.datasets
  where project_id = %(project)s;
insert into ops.lineage_sent (run_id, project_id) values (%(run)s, %(project)s);
insert into ops.bi_wishes (project_id, env, run_id) values (%(project)s, 'dev', %(run)s);
insert into ops.bi_objects (project_id, env, kind, name, superset_id, digest)
  values (%(project)s, 'dev', 'dataset', 'gold.revenue', 1, 'x');
insert into ops.caps (key, org_id, project_id, amount, period) values (%(slug)s, %(org)s, %(project)s, 5, 'day');
insert into ops.pools (org_id, project_id, name, slots) values (%(org)s, %(project)s, 'source', 2);
insert into ops.pool_uses (pool_id, run_id, project_id, slots) select id, %(run)s, %(project)s, 1 from ops.pools
  where project_id = %(project)s;
insert into ops.prices (org_id, unit, price, currency, valid_from)
  values (%(org)s, 'cpu_second', 0.01, 'EUR', clock_timestamp());
insert into ops.phase_usage (run_id, phase, attempt, lease_token, project_id, cpu_seconds)
  values (%(run)s, 'bronze', 1, 1, %(project)s, 2);
insert into ops.alert_rules (project_id, name, signal, comparison, threshold) values (%(project)s, 'late', 'retries', '>', 1);
insert into ops.notifications (project_id, rule_id, run_id, severity, title, channel)
  select %(project)s, id, %(run)s, 'info', 'late', 'log' from ops.alert_rules where project_id = %(project)s;
insert into ops.score_gates (project_id, env, min_score) values (%(project)s, 'dev', 50);
insert into ops.schedules (project_id, env, slug, kind, pipeline, cron)
  values (%(project)s, 'dev', 'hourly', 'cron', 'demo', '0 * * * *');
insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, reason, decided_at)
  select project_id, env, id, '0', created_at, 'skipped', 'demo', created_at from ops.schedules
  where project_id = %(project)s and env = 'dev';
insert into ops.backfills (
  project_id, env, pipeline, pipeline_version, partition, partitions, chunks, chunk_size, max_parallel, max_tries, priority)
  values (%(project)s, 'dev', 'demo', 1, '{}', 1, 1, 1, 1, 1, 200);
insert into ops.backfill_chunks (backfill_id, chunk, project_id, env, first, partitions, max_tries)
  select id, 1, project_id, env, '2025-01-01', 1, 1 from ops.backfills where project_id = %(project)s and env = 'dev';
insert into ops.freshness_rules (project_id, env, dataset, warn_seconds, error_seconds)
  values (%(project)s, 'dev', 'gold.late', 1, 1);
insert into ops.freshness (
  rule_id, project_id, env, dataset, clock, clock_kind, lag_seconds, state, since, checked_at)
  select id, project_id, env, dataset, created_at, 'never', 0, 'ok', created_at, created_at from ops.freshness_rules
  where project_id = %(project)s and env = 'dev';
insert into ops.freshness_breaches (rule_id, project_id, env, dataset, level, clock, began_at)
  select id, project_id, env, dataset, 'warn', created_at, created_at from ops.freshness_rules
  where project_id = %(project)s and env = 'dev';
insert into ops.alerts (project_id, rule_id, env, group_key, severity, title, value, seen_at, opened_at)
  select project_id, id, 'dev', 'demo', 'info', 'late', 1, clock_timestamp(), clock_timestamp() from ops.alert_rules
  where project_id = %(project)s and name = 'late';
insert into ops.silences (project_id, kind, starts_at, ends_at, reason)
  values (%(project)s, 'mute', clock_timestamp(), clock_timestamp() + interval '1 hour', 'demo');
insert into ops.channels (name, secret) values ('c' || left(%(project)s::text, 40), 'secret://env/HOOK') on conflict do nothing;
insert into ops.score_gates (project_id, env, min_score) values (%(project)s, 'prod', 60);
insert into ops.run_totals values (%(project)s, 'demo', 'succeeded', 1, 0, 1, '{1,0,0,0,0,0,0,0,0,0}');
insert into ops.refreshes (project_id, env, pipeline, run_id) values (%(project)s, 'dev', 'demo', %(run)s);
insert into ops.refresh_tables (refresh_id, dataset_id, project_id, version)
  select f.id, d.id, f.project_id, 0 from ops.refreshes f join ops.datasets d using (project_id)
  where f.project_id = %(project)s;
insert into ops.queries (run_id, project_id, env, sql, engine, sees_personal, created_at)
  values (%(run)s, %(project)s, 'dev', 'select 1', 'embedded', true, clock_timestamp());
insert into ops.query_answers (project_id, env, key, run_id) values (%(project)s, 'dev', repeat('0', 64), %(run)s);
insert into ops.phase_totals values (%(project)s, 'ingest', 'succeeded', 1, 1, '{1,0,0,0,0,0,0,0,0,0}')
"""


@dataclass(frozen=True)
class Team:
    """A project with one member."""

    slug: str
    org: UUID
    project: UUID
    member: str


def two_teams(url: str) -> tuple[Team, Team]:
    """Fills every table of the schema for two teams."""
    return _team(url, "acme"), _team(url, "rivals")


def _team(url: str, slug: str) -> Team:
    with connect(url, autocommit=True) as owner, connect(url, EXECUTOR, autocommit=True) as executing:
        rpc, executor, executor_id = Rpc(owner), Rpc(executing), uuid.uuid4()
        project = rpc.ensure_project(slug, "books")
        member = f"someone@{slug}"
        people = Tenancy(owner)
        people.set_member(slug, "books", member, "admin")
        executor.register_executor(executor_id, slug, slots=2, host="here", version="0")
        for _ in range(2):
            rpc.create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
        first, second = executor.claim_run(executor_id, max_runs=2)
        executor.start_run(first.run_id, first.lease_token)
        executor.start_phase(first.run_id, first.lease_token, "bronze")
        artifact = Artifact("a", "query", "0" * 64, 1, "text/plain", f"file:///{slug}")
        executor.register_artifact(first.run_id, first.lease_token, "bronze", artifact)
        executor.record_dataset(first.run_id, first.lease_token, "bronze", commit())
        executor.finish_phase(first.run_id, first.lease_token, "bronze", PhaseStatus.SUCCEEDED, {})
        executor.start_phase(first.run_id, first.lease_token, "checks")
        executor.finish_phase(first.run_id, first.lease_token, "checks", PhaseStatus.SUCCEEDED, {})
        executor.complete_run(first.run_id, first.lease_token, {})
        rpc.compute_run_score(first.run_id)
        org = _value(owner, "select org_id from ops.projects where id = %s", project)
        given = {"slug": slug, "org": org, "project": project, "run": second.run_id}
        for statement in BY_HAND.split(";"):
            owner.execute(statement, given)
        [(dataset,)] = owner.execute("select id from ops.datasets where project_id = %s", [project]).fetchall()
        people.share_dataset(dataset, rpc.ensure_project(slug, "shelf"))
        people.allow_secret(project, "secret://env/BOOKS_*")
        people.create_access_token("ci", "viewer", project, subject=member)
        people.promote_pipeline(project, "demo", 1, "stage")
        assert rpc.cap_allow(slug, Decimal(1))
        return Team(slug, org, project, member)


def _value(connection: psycopg.Connection, query: str, *arguments: object) -> UUID:
    [[value]] = connection.execute(query, arguments).fetchall()
    assert isinstance(value, UUID)
    return value
