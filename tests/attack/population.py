"""Two orgs with two projects each, in three environments, with rows in every table; and the people who try."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from uuid import UUID

from ops.database import EXECUTOR, Connection, connect
from ops.model import Artifact, DatasetVersion, Fingerprint, NewPhase, PhaseStatus, RunId, TableVersion
from ops.model import Scope as Place
from ops.rpc import Rpc
from ops.tenancy import ENVS, Tenancy

ORGS, PROJECTS = ("acme", "rivals"), ("books", "stock")
ROLES = ("viewer", "operator", "editor", "admin")
# Found in every row that a leak could show: its presence in any answer is a leak, whatever the answer's shape.
MARK = "mark-{org}-{project}-{env}"

SHA256, GIT_SHA = "5" * 64, "a" * 40

BY_HAND = """
insert into ops.caps (key, org_id, project_id, amount, period) values (%(mark)s, %(org)s, %(project)s, 5000, 'day');
insert into ops.pools (org_id, project_id, name, slots)
  values (%(org)s, %(project)s, replace(%(mark)s, '-', '_'), 2);
insert into ops.pool_uses (pool_id, run_id, project_id, slots)
  select id, %(run)s, %(project)s, 1 from ops.pools where name = replace(%(mark)s, '-', '_');
insert into ops.prices (org_id, unit, price, currency, valid_from, created_by)
  values (%(org)s, 'cpu_second', 0.01, 'EUR', clock_timestamp(), %(mark)s);
insert into ops.phase_usage (run_id, phase, attempt, lease_token, project_id, cpu_seconds)
  values (%(run)s, %(mark)s, 1, 1, %(project)s, 2);
insert into ops.alert_rules (project_id, env, name, signal, comparison, threshold)
  values (%(project)s, %(env)s, %(mark)s, 'x', '>', 1);
insert into ops.notifications (project_id, rule_id, run_id, severity, title, channel)
  select %(project)s, id, %(run)s, 'info', %(mark)s, 'log' from ops.alert_rules where name = %(mark)s;
insert into ops.alerts (project_id, rule_id, env, group_key, severity, title, value, run_id, seen_at, opened_at)
  select %(project)s, id, %(env)s, %(mark)s, 'info', %(mark)s, 1, %(run)s, now(), now()
  from ops.alert_rules where name = %(mark)s;
insert into ops.silences (project_id, kind, env, starts_at, ends_at, reason)
  values (%(project)s, 'mute', %(env)s, now(), now() + interval '1 hour', %(mark)s);
insert into ops.score_gates (project_id, env, pipeline, min_score) values (%(project)s, %(env)s, %(mark)s, 50);
insert into ops.schedules (project_id, env, slug, kind, pipeline, cron)
  values (%(project)s, %(env)s, 'hourly', 'cron', %(mark)s, '0 * * * *');
insert into ops.schedule_ticks (project_id, env, schedule_id, key, tick, outcome, reason, decided_at)
  select project_id, env, id, '0', created_at, 'skipped', %(mark)s, created_at from ops.schedules
  where project_id = %(project)s and env = %(env)s;
insert into ops.backfills (
  project_id, env, pipeline, pipeline_version, partition, partitions, chunks, chunk_size, max_parallel, max_tries, priority,
  state, reason)
  values (%(project)s, %(env)s, 'job', 1, '{"param": "day"}', 1, 1, 1, 1, 1, 200, 'paused', %(mark)s);
insert into ops.backfill_chunks (backfill_id, chunk, project_id, env, first, partitions, max_tries)
  select id, 1, project_id, env, %(mark)s, 1, 1 from ops.backfills where project_id = %(project)s and env = %(env)s;
insert into ops.freshness_rules (project_id, env, dataset, warn_seconds, error_seconds)
  values (%(project)s, %(env)s, 'gold.late', 1, 1);
insert into ops.freshness (
  rule_id, project_id, env, dataset, clock, clock_kind, lag_seconds, state, since, checked_at)
  select id, project_id, env, dataset, created_at, 'never', 0, 'ok', created_at, created_at from ops.freshness_rules
  where project_id = %(project)s and env = %(env)s;
insert into ops.freshness_breaches (rule_id, project_id, env, dataset, level, clock, began_at)
  select id, project_id, env, dataset, 'warn', created_at, created_at from ops.freshness_rules
  where project_id = %(project)s and env = %(env)s;
insert into ops.run_totals (project_id, pipeline, status, runs, lost_leases, seconds, buckets)
  values (%(project)s, %(mark)s, 'succeeded', 1, 0, 1, '{1}');
insert into ops.phase_totals (project_id, kind, status, phases, seconds, buckets)
  values (%(project)s, %(mark)s, 'succeeded', 1, 1, '{1}');
insert into ops.column_maps (dataset_id, project_id, sha256, reason)
  select id, project_id, sha256(%(mark)s::text::bytea), %(mark)s from ops.datasets
  where project_id = %(project)s and env = %(env)s;
insert into ops.column_edges (map_id, project_id, output_column, input_table, input_column, kind, subtype)
  select id, project_id, %(mark)s, 'bronze.one', 'x', 'DIRECT', 'IDENTITY' from ops.column_maps where reason = %(mark)s;
insert into ops.dataset_notes (dataset_id, project_id, description)
  select id, project_id, %(mark)s from ops.datasets where project_id = %(project)s and env = %(env)s;
insert into ops.dataset_columns (dataset_id, name, project_id)
  select id, %(mark)s, project_id from ops.datasets where project_id = %(project)s and env = %(env)s;
insert into ops.refreshes (project_id, env, pipeline, run_id, note)
  values (%(project)s, %(env)s, %(mark)s, %(builder)s, %(mark)s);
insert into ops.refresh_tables (refresh_id, dataset_id, project_id, version)
  select f.id, d.id, f.project_id, 0 from ops.refreshes f join ops.datasets d using (project_id, env)
  where f.note = %(mark)s;
insert into ops.queries (run_id, project_id, env, sql, engine, sees_personal, created_at)
  values (%(run)s, %(project)s, %(env)s, %(mark)s, 'embedded', true, clock_timestamp());
insert into ops.query_answers (project_id, env, key, run_id)
  values (%(project)s, %(env)s, encode(sha256(%(mark)s::text::bytea), 'hex'), %(run)s);
insert into ops.lineage_sent (run_id, project_id, last_error) values (%(run)s, %(project)s, %(mark)s);
insert into ops.bi_wishes (project_id, env, run_id, error) values (%(project)s, %(env)s, %(run)s, %(mark)s);
insert into ops.bi_objects (project_id, env, kind, name, superset_id, digest)
  values (%(project)s, %(env)s, 'dataset', %(mark)s, 1, %(mark)s)
"""


@dataclass(frozen=True)
class Scope:
    """One environment of one project, and the ids of what is in it."""

    org: str
    project: str
    env: str
    org_id: UUID
    project_id: UUID
    ended: UUID
    queued: UUID
    dataset: UUID
    artifact: UUID
    sha256: str
    schedule: UUID
    refresh: UUID
    backfill: UUID

    @property
    def place(self) -> Place:
        return Place(self.org, self.project, self.env)

    @property
    def mark(self) -> str:
        return MARK.format(org=self.org, project=self.project, env=self.env)


@dataclass(frozen=True)
class Person:
    """A member, or nobody (no org)."""

    subject: str
    org: str | None
    project: str | None
    role: str
    envs: tuple[str, ...]

    def belongs_to(self, scope: Scope) -> bool:
        """To the project, in whatever environment."""
        return self.org == scope.org and self.project in (None, scope.project)

    def may_see(self, scope: Scope) -> bool:
        return self.belongs_to(scope) and scope.env in self.envs


@dataclass(frozen=True)
class Population:
    url: str
    scopes: tuple[Scope, ...]
    people: tuple[Person, ...]

    def attempts(self) -> Iterator[tuple[Person, Scope]]:
        """Each person with each environment that is not the person's to see."""
        return ((person, scope) for person in self.people for scope in self.scopes if not person.may_see(scope))


def populate(url: str) -> Population:
    """Fills a migrated database."""
    scopes: list[Scope] = []
    with connect(url, autocommit=True) as owner, connect(url, EXECUTOR, autocommit=True) as executing:
        executor_id = uuid.uuid4()
        Rpc(executing).register_executor(executor_id, "worker", slots=4, host="here", version="0")
        for org, project in product(ORGS, PROJECTS):
            scopes += [_scope(owner, Rpc(executing), executor_id, org, project, env) for env in ENVS]
        _share(owner, scopes)
        # Last, or they would be claimed instead: one that is owned, and one that waits.
        for scope in scopes:
            _create(owner, scope.org, scope.project, scope.env, scope.project_id)
            assert len(Rpc(executing).claim_run(executor_id, lease_seconds=3600)) == 1
        scopes = [
            replace(scope, queued=_create(owner, scope.org, scope.project, scope.env, scope.project_id))
            for scope in scopes
        ]
        people = tuple(_people())
        for person in people:
            if person.org is not None:
                Tenancy(owner).set_member(person.org, person.project, person.subject, person.role, person.envs)
    return Population(url, tuple(scopes), people)


def _share(owner: Connection, scopes: list[Scope]) -> None:
    """Each dataset is shared with a project that nobody belongs to: grants have rows, and nobody sees more for them."""
    for org in ORGS:
        shelf = Rpc(owner).ensure_project(f"{org}-archive", "shelf")
        for scope in scopes:
            if scope.org == org:
                Tenancy(owner).share_dataset(scope.dataset, shelf)


def _people() -> Iterator[Person]:
    for org in ORGS:
        for role in ROLES:
            yield Person(f"{role}@{org}", org, None, role, ENVS)
        for project in PROJECTS:
            for role in ROLES:
                yield Person(f"{role}@{org}+{project}", org, project, role, ENVS)
            for env, role in product(ENVS, ROLES):
                yield Person(f"{role}@{org}+{project}+{env}", org, project, role, (env,))
    yield Person("nobody", None, None, "none", ())


def _create(owner: Connection, org: str, project: str, env: str, project_id: UUID) -> RunId:
    mark = MARK.format(org=org, project=project, env=env)
    spec = {"version": 1, "pipeline": "job", "note": f"mark-{org}-{project}"}
    return Rpc(owner).create_run(
        project_id,
        env,
        "job",
        spec,
        SHA256,
        GIT_SHA,
        [NewPhase("land", "ingest")],
        params={"mark": mark},
        tags={"m": mark},
    )


def _scope(owner: Connection, executor: Rpc, executor_id: UUID, org: str, project: str, env: str) -> Scope:
    mark = MARK.format(org=org, project=project, env=env)
    rpc, tenancy = Rpc(owner), Tenancy(owner)
    project_id = rpc.ensure_project(org, project)
    if env != "dev":
        tenancy.promote_pipeline(project_id, "job", 1, env, mark)
    _create(owner, org, project, env, project_id)
    [claimed] = executor.claim_run(executor_id, lease_seconds=3600)
    mine = (claimed.run_id, claimed.lease_token)
    executor.start_run(*mine)
    executor.start_phase(*mine, "land")
    sha256 = hashlib.sha256(mark.encode()).hexdigest()
    artifact = executor.register_artifact(
        *mine, "land", Artifact(mark, "query", sha256, 1, "text/plain", f"file:///{mark}")
    )
    executor.record_dataset(
        *mine,
        "land",
        DatasetVersion(
            table=f"gold.{org}_{project}", version=0, mode="replace", rows=1, total_rows=1, byte_size=1,
            fingerprint=Fingerprint(f"v1:{mark}"), schema={mark: "long"},
            inputs=(TableVersion(f"bronze.{org}", 0, Fingerprint(f"v1:{mark}")),),
        ),
    )  # fmt: skip
    executor.record_signal(*mine, "retries", 1.0, {"mark": mark})
    executor.finish_phase(*mine, "land", PhaseStatus.SUCCEEDED, {"metrics": {"mark": mark}})
    executor.complete_run(*mine, {"mark": mark})
    rpc.compute_run_score(claimed.run_id)
    [(org_id,)] = owner.execute("select org_id from ops.projects where id = %s", [project_id]).fetchall()
    # A run of its own: what builds a refresh is no proof for a promotion.
    builder = _create(owner, org, project, env, project_id)
    rpc.cancel_run(builder, mark)
    given = {
        "mark": mark, "org": org_id, "project": project_id, "env": env, "run": claimed.run_id, "builder": builder,
    }  # fmt: skip
    for statement in BY_HAND.split(";"):
        owner.execute(statement, given)
    assert rpc.cap_allow(mark, Decimal(1))
    tenancy.allow_secret(project_id, f"secret://env/{mark}")
    [(dataset,)] = owner.execute(
        "select id from ops.datasets where project_id = %s and env = %s", [project_id, env]
    ).fetchall()
    [(refresh,)] = owner.execute("select id from ops.refreshes where note = %s", [mark]).fetchall()
    [(schedule,)] = owner.execute(
        "select id from ops.schedules where project_id = %s and env = %s", [project_id, env]
    ).fetchall()
    [(backfill,)] = owner.execute(
        "select id from ops.backfills where project_id = %s and env = %s", [project_id, env]
    ).fetchall()
    return Scope(
        org,
        project,
        env,
        org_id,
        project_id,
        claimed.run_id,
        claimed.run_id,
        dataset,
        artifact,
        sha256,
        schedule,
        refresh,
        backfill,
    )
