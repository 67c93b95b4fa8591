"""Schedules with a clock that the test owns, and what a steward does with them, one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from compute.schedules import decision
from ops.rpc import Rpc
from ops.schedules import Decision, DueClock, Schedules, TickRow

SPEC = {"version": 1, "pipeline": "demo", "params": {"day": {"type": "string", "default": "today"}}, "phases": []}


@dataclass
class Clockwork:
    """Schedules of one project; ``connection`` is the owner's, in autocommit."""

    connection: psycopg.Connection
    project_id: UUID

    @classmethod
    def of(cls, connection: psycopg.Connection, pipelines: Sequence[str] = ("demo",)) -> Clockwork:
        """With these pipelines registered."""
        rpc = Rpc(connection)
        project_id = rpc.ensure_project("default", "demo")
        for name in pipelines:
            rpc.register_pipeline(project_id, name, {**SPEC, "pipeline": name}, name.rjust(64, "0"), "a" * 40)
        return cls(connection, project_id)

    @property
    def schedules(self) -> Schedules:
        return Schedules(self.connection)

    def put(self, slug: str, since: datetime | None = None, **definition: object) -> UUID:
        """A schedule of ``demo`` whose ticks are those after ``since``."""
        schedule_id = self.schedules.put(self.project_id, "dev", slug, {"pipeline": "demo", **definition})
        if since is not None:
            self.connection.execute("update ops.schedules set anchored_at = %s where id = %s", [since, schedule_id])
        return schedule_id

    def decisions(self, now: datetime) -> list[Decision]:
        """What a steward would decide at ``now``; nothing has changed yet."""
        with self.connection.cursor(row_factory=class_row(DueClock)) as cursor:
            due = cursor.execute("select * from private.due_schedules(10000, %s)", [now]).fetchall()
        return [decision(each) for each in due]

    def look(self, now: datetime) -> int:
        """A steward's look at the clocks; how many ticks it decided."""
        return self.schedules.decide_clocks(self.decisions(now))

    def look_at_events(self, now: datetime) -> None:
        """A steward's look at what is stale, and at events that wait."""
        self.connection.execute("select private.note_stale(%s)", [now])
        waiting = "select distinct schedule_id from ops.schedule_ticks where outcome = 'pending'"
        for (schedule_id,) in self.connection.execute(waiting).fetchall():
            self.connection.execute("select private.decide_pending(%s, %s)", [schedule_id, now])

    def ticks(self, schedule_id: UUID) -> list[TickRow]:
        """Oldest first."""
        return self.schedules.ticks(schedule_id, 100_000)[::-1]

    def fired(self, schedule_id: UUID) -> list[datetime]:
        return [each.tick for each in self.ticks(schedule_id) if each.outcome == "fired"]

    def end_runs(self, status: str = "succeeded") -> None:
        """Whoever is to carry them out has ended every run."""
        self.connection.execute(
            "update ops.runs set status = %s, finished_at = clock_timestamp() "
            "where status in ('queued', 'claimed', 'running')",
            [status],
        )

    def outcomes(self, schedule_id: UUID) -> list[tuple[str, int | None, str]]:
        return [(each.outcome, each.ticks, each.reason) for each in self.ticks(schedule_id)]
