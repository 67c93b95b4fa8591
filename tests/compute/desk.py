"""Backfills of one project, and an executor that carries their runs out by word of the test."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from uuid import UUID

import psycopg

from ops.backfills import BackfillPlan, Backfills
from ops.rpc import Rpc
from tests.operating import Operator

DAY = {"param": "day", "step": "day"}
SPAN = {"param": "day", "until": "end", "step": "day"}
DATE = {"type": "date"}
YEAR = {"from": "2025-01-01", "to": "2025-12-31"}


class Desk:
    def __init__(self, operator: Operator, connection: psycopg.Connection) -> None:
        self.operator, self.connection = operator, connection
        self.backfills = Backfills(connection)
        self.project_id = Rpc(connection).ensure_project("default", "demo")
        self._shas = itertools.count(1)

    def register(
        self, partition: Mapping[str, object] | None = None, mode: str = "partition", **params: object
    ) -> None:
        """A version of pipeline ``daily``."""
        wanted = DAY if partition is None else partition
        known = {name: DATE for name in ("day", "end") if name in wanted.values()}
        phase = {"name": "one", "kind": "transform", "output": {"table": "gold.daily", "mode": mode}}
        spec = {
            "version": 1, "pipeline": "daily", "params": {**known, **params}, "phases": [phase],
            **({"partition": wanted} if wanted else {}),
        }  # fmt: skip
        sha = str(next(self._shas)).rjust(64, "0")
        Rpc(self.connection).register_pipeline(self.project_id, "daily", spec, sha, "a" * 40)

    def start(
        self, said: Mapping[str, object] | None = None, key: str | None = None, dry_run: bool = False, **more: object
    ) -> BackfillPlan:
        definition = {"pipeline": "daily", **(said or {}), **{name.rstrip("_"): value for name, value in more.items()}}
        return self.backfills.start(self.project_id, "dev", definition, key, dry_run)

    def started(self, said: Mapping[str, object] | None = None, **more: object) -> UUID:
        made = self.start(said, None, False, **more).id
        assert made is not None
        return made

    def end_next(self, error: str | None = None) -> str:
        """Carries the next run out, to its success or with that error; the partition that it had."""
        run = self.operator.claim()
        mine = run.run_id, run.lease_token
        executor = self.operator.executor
        executor.start_run(*mine)
        executor.start_phase(*mine, "one")
        if error:
            executor.fail_run(*mine, error, "no", {}, False)
        else:
            executor.finish_phase(*mine, "one", "succeeded", {"rows_out": 10, "byte_size": 100})  # type: ignore[arg-type]
            executor.complete_run(*mine, {})
        return str(run.params["day"])

    def end_all(self, backfill: UUID) -> list[str]:
        """Steward and executor by turns until nothing moves; the partitions that were carried out, in their order."""
        ended: list[str] = []
        while self.backfills.advance():
            # A pause before another try; the test does not wait for it.
            self.connection.execute("update ops.runs set available_at = created_at where status = 'queued'")
            ended += [self.end_next() for _ in range(self.open_runs())]
        return sorted(ended)

    def states(self, backfill: UUID) -> dict[str, int]:
        found: dict[str, int] = {}
        for chunk in self.backfills.chunks(backfill):
            found[chunk.state] = found.get(chunk.state, 0) + 1
        return found

    def state(self, backfill: UUID) -> tuple[str, str]:
        [row] = self.backfills.backfills(backfill_id=backfill)
        return row.state, row.reason

    def open_runs(self) -> int:
        return self.count("ops.runs where status in ('queued', 'claimed', 'running')")

    def count(self, what: str) -> int:
        row = self.connection.execute(f"select count(*) from {what}".encode()).fetchone()
        assert row is not None
        return int(row[0])
