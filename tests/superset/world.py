"""A real Superset for the session, and worlds whose gold is published by the real handler and released by real runs."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psycopg
import pytest

from controlroom import bi, bi_server
from controlroom.secret_files import write_secret
from ops.artifacts import ArtifactStore
from ops.database import EXECUTOR, connect
from ops.embedded import Cluster
from ops.errors import StackFailed
from ops.model import DatasetVersion, NewPhase, PhaseStatus, RunId, Scope, TableVersion
from ops.rpc import Rpc
from ops.secrets import SecretStore
from ops.settings import Settings
from ops.tenancy import Tenancy
from pipelines.handler import Context
from pipelines.lake import CommitRef, Lake
from pipelines.registry import handler_for
from pipelines.spec import Pipeline
from superset.client import Superset
from tests.pipelines.fences import Owner, Runs

PHASES = (
    NewPhase("mart", "transform"),
    NewPhase("check", "validate", ("mart",)),
    NewPhase("publish", "publish", ("check",)),
)
REVENUE: Mapping[str, Sequence[str | int]] = {
    "company_id": [1, 1, 2],
    "company": ["{org} One", "{org} One", "{org} Two"],
    "currency": ["EUR", "EUR", "USD"],
    "month": ["2026-01-01", "2026-02-01", "2026-02-01"],
    "invoices": [5, 7, 2],
    "refunds": [1, 0, 0],
}


@dataclass(frozen=True)
class Server:
    url: str
    home: Path

    @property
    def password(self) -> str:
        return (self.home / "secrets" / "superset_admin").read_text().strip()

    def admin(self) -> Superset:
        return Superset.signed_in(self.url, "controlroom", self.password)


@contextmanager
def session_server(cluster: Cluster) -> Iterator[Server]:
    """The session's Superset: the first xdist worker that asks starts it, the last one that leaves ends it."""
    if running := os.environ.get("CONTROLROOM_TEST_SUPERSET_HOME"):
        # Whoever writes these tests keeps a server: starting one costs a minute.
        yield Server(bi_server.superset_url(Settings(home=Path(running))), Path(running))
        return
    home = cluster.home / "superset-home"
    home.mkdir(exist_ok=True)
    settings = Settings(home=home, database_url=cluster.url("postgres"))
    with open(cluster.home / "superset-users.lock", "a") as presence:
        fcntl.flock(presence, fcntl.LOCK_SH)
        try:
            url = bi_server.start_superset(settings, 0, lambda _: None)
        except StackFailed as error:
            if "not installed" in str(error):
                pytest.skip(str(error))
            raise
        try:
            yield Server(url, home)
        finally:
            with suppress(BlockingIOError):
                fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
                bi_server.stop_superset(settings)


@dataclass
class World:
    """One installation: an ops schema and a gold database of its own, publishing to the session's Superset."""

    server: Server
    ops: str
    gold: str
    home: Path
    runs: Runs | None = None

    def settings(self, org: str, **changes: object) -> Settings:
        return Settings(
            home=self.home, database_url=self.ops, org=org, project="demo", env="dev", superset_url=self.server.url
        ).model_copy(update=changes)

    def member(self, org: str, subject: str, role: str = "viewer") -> None:
        with connect(self.ops, autocommit=True) as owner:
            Rpc(owner).ensure_project(org, "demo")
            Tenancy(owner).set_member(org, "demo", subject, role)

    def release(
        self, org: str, revenue: Sequence[int], table: str = "revenue_by_month", passed: bool = True, asks: bool = False
    ) -> RunId:
        """A run that makes a mart, checks it, publishes it into gold and succeeds. ``asks``: to be shown in Superset."""
        rows = _rows(org, revenue)
        lake = Lake(str(self.home / "lake"), Scope(org, "demo", "dev"))
        self.runs = self.runs or Runs(self.gold)
        owner = self.runs.claim()
        made = lake.commit(owner, CommitRef(owner.run_id, owner.token, "mart"), f"gold.{table}", rows, "replace")
        metrics = self._publish(lake, owner, table, made.version, asks)
        return self._record(org, made, passed, metrics)

    def _publish(self, lake: Lake, owner: Owner, table: str, version: int, asks: bool) -> Mapping[str, object]:
        target = {"table": f"gold.{table}", "dsn": "secret://file/gold_dsn", "shared": True}
        spec = {
            "version": 1, "pipeline": "bench", "owner": "@tests",
            "phases": [
                {
                    "name": "publish", "kind": "publish", "table": f"gold.{table}",
                    "to": {"postgres": target, "superset": asks},
                }
            ],
        }  # fmt: skip
        phase = Pipeline.from_json(spec).phases[0]
        scratch = self.home / f"scratch-{uuid.uuid4().hex[:8]}"
        scratch.mkdir()
        context = Context(
            owner.run_id, owner.token, lake.scope, "bench", "0" * 40, 1, {},
            {f"gold.{table}": TableVersion(f"gold.{table}", version, None)}, lake, ArtifactStore(self.home / "artifacts"),
            owner, SecretStore(self.home), lambda *_, **__: None, scratch,
        )  # fmt: skip
        return handler_for("publish")(context, phase).metrics

    def _record(self, org: str, made: DatasetVersion, passed: bool, published: Mapping[str, object]) -> RunId:
        with connect(self.ops, autocommit=True) as owner, connect(self.ops, EXECUTOR, autocommit=True) as executing:
            rpc, executor, me = Rpc(owner), Rpc(executing), uuid.uuid4()
            executor.register_executor(me, "tester", slots=4, host="here", version="0")
            project = rpc.ensure_project(org, "demo")
            spec = {"version": 1, "pipeline": "silver_to_gold", "phases": []}
            run_id = rpc.create_run(
                project,
                env="dev",
                pipeline="silver_to_gold",
                spec=spec,
                spec_sha256="5" * 64,
                git_sha="a" * 40,
                phases=PHASES,
            )
            [run] = executor.claim_run(me, lease_seconds=60)
            executor.start_run(run_id, run.lease_token)
            for phase in PHASES:
                executor.start_phase(run_id, run.lease_token, phase.name)
                if phase.name == "mart":
                    executor.record_dataset(run_id, run.lease_token, "mart", made)
                metrics = {"check": {"failed_checks": 0 if passed else 1}, "publish": published}.get(phase.name, {})
                executor.finish_phase(
                    run_id, run.lease_token, phase.name, PhaseStatus.SUCCEEDED, {"metrics": dict(metrics)}
                )
            executor.complete_run(run_id, run.lease_token, {})
            return run_id

    def sign_in(self, org: str, subject: str) -> Superset:
        """A member's own session, as its browser has it."""
        password = uuid.uuid4().hex
        bi.set_password(self.settings(org), subject, password)
        session = Superset.signed_in(self.server.url, subject, password)
        session.browse(subject, password)
        return session

    def row_security(self, on: bool) -> None:
        """Postgres' own line of defence, on or off: each line must hold alone."""
        verb = "enable" if on else "disable"
        with psycopg.connect(self.gold, autocommit=True) as connection:
            connection.execute(f"alter table gold.revenue_by_month {verb} row level security".encode())

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.gold, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()


def _rows(org: str, revenue: Sequence[int]) -> pl.DataFrame:
    filled = {
        name: [value.format(org=org) if isinstance(value, str) else value for value in values]
        for name, values in REVENUE.items()
    }
    frame = pl.DataFrame(filled).with_columns(pl.col("month").str.to_date())
    money = pl.Series("revenue", revenue).cast(pl.Decimal(38, 2))
    return frame.with_columns(money, tax=pl.lit(0).cast(pl.Decimal(38, 2)), total=money.alias("total"))


@contextmanager
def new_world(server: Server, ops: str, gold: str, home: Path) -> Iterator[World]:
    """A world whose projects leave Superset at its end."""
    write_secret(home, "gold_dsn", gold)
    write_secret(home, "superset_admin", server.password)
    world = World(server, ops, gold, home)
    yield world
