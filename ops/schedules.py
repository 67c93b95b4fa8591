"""Schedules, the ledger of their ticks, and freshness: what starts a run when nobody presses a button.

Like :mod:`ops.rpc`, only SQL decides; when a clock is due is computed by whoever may import a cron library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from ops.calls import Calls
from ops.errors import NotFound
from ops.jsonable import jsonb

Json = Mapping[str, object]


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule; ``next_at`` is None until a steward has looked at it, and where its kind has no clock."""

    id: UUID
    org: str
    project: str
    env: str
    slug: str
    pipeline: str
    kind: str
    cron: str | None
    timezone: str
    after_pipeline: str | None
    dataset: str | None
    stale_seconds: float | None
    misfire: str
    grace_seconds: float
    catch_up_limit: int
    overlap: str
    jitter_seconds: float
    params: Json
    priority: int
    min_score: float | None
    paused: bool
    paused_reason: str
    paused_by: str | None
    next_at: datetime | None
    due_at: datetime | None
    last_tick: datetime | None
    anchored_at: datetime


@dataclass(frozen=True)
class TickRow:
    """What became of a tick, or of several in a row (``tick`` … ``through``) that were skipped."""

    id: UUID
    tick: datetime
    through: datetime | None
    ticks: int | None
    outcome: str
    reason: str
    run_id: UUID | None
    run_status: str | None
    decided_at: datetime | None


@dataclass(frozen=True)
class DueClock:
    """A cron schedule that may be due at ``asked_at``, by the database's clock.

    Attributes:
        revision: of the definition that this is.
        next_at: its first undecided tick; None: not known yet, it is the first after ``anchored_at``.
    """

    id: UUID
    revision: int
    cron: str
    timezone: str
    next_at: datetime | None
    anchored_at: datetime
    asked_at: datetime


@dataclass(frozen=True)
class Decision:
    """The ticks of a due clock, for ``ops.decide_clocks``.

    Attributes:
        expected: ``next_at`` as it was read; another steward may have moved it since.
        ticks: all from there up to ``asked_at``.
        next: the one after them; None: there is none.
        before: ticks before the first of ``ticks`` are too many to be listed; this is the first of them.
        fault: why the clock cannot be read.
    """

    id: UUID
    revision: int
    expected: datetime | None
    asked_at: datetime
    ticks: Sequence[datetime] = ()
    next: datetime | None = None
    before: datetime | None = None
    fault: str | None = None


@dataclass(frozen=True)
class FreshnessRow:
    """A freshness rule and what was last found."""

    org: str
    project: str
    env: str
    dataset: str
    warn_seconds: float
    error_seconds: float
    event_column: str | None
    state: str | None
    since: datetime | None
    clock: datetime | None
    clock_kind: str | None
    lag_seconds: float | None
    checked_at: datetime | None


@dataclass(frozen=True)
class UnreadClock:
    """A released version whose event column nobody has looked at."""

    version_id: UUID
    org: str
    project: str
    env: str
    dataset: str
    version: int
    event_column: str


class Schedules(Calls):
    """Calls over one connection or a pool, as whoever its role and claims say."""

    file = "schedules"

    def put(self, project_id: UUID, env: str, slug: str, definition: Json) -> UUID:
        """Makes the schedule what the definition says (see docs/schedules.md); a repeat changes nothing.

        Raises:
            NotFound: no such project or pipeline.
            BadInput: the definition is refused, or would start itself for ever.
        """
        made = self._value("put_schedule", project_id=project_id, env=env, slug=slug, definition=jsonb(definition))
        return cast(UUID, made)

    def pause(self, schedule_id: UUID, reason: str = "") -> None:
        self._do("pause_schedule", schedule_id=schedule_id, reason=reason)

    def resume(self, schedule_id: UUID, catch_up: bool = False) -> None:
        """Lets it run again. ``catch_up``: what was due in the pause was missed, and not skipped on purpose."""
        self._do("resume_schedule", schedule_id=schedule_id, catch_up=catch_up)

    def remove(self, schedule_id: UUID) -> None:
        self._do("remove_schedule", schedule_id=schedule_id)

    def fire(self, schedule_id: UUID, key: str | None = None) -> UUID:
        """Starts a run now, as a tick of its own; the same key gives the same run."""
        return cast(UUID, self._value("fire_schedule", schedule_id=schedule_id, key=key))

    def create_webhook_secret(self, schedule_id: UUID) -> str:
        """A new secret, which is told this once; the one before ends."""
        return str(self._value("create_webhook_secret", schedule_id=schedule_id))

    def schedules(
        self, project_id: UUID | None = None, env: str | None = None, slug: str | None = None
    ) -> list[ScheduleRow]:
        return [ScheduleRow(**row) for row in self._rows("schedules", project_id=project_id, env=env, slug=slug)]

    def named(self, project_id: UUID, env: str, slug: str) -> ScheduleRow:
        """Raises NotFound: there is none of that name."""
        found = self.schedules(project_id, env, slug)
        if not found:
            raise NotFound(f"there is no schedule {slug} in {env}; `controlroom schedule list` shows those there are")
        return found[0]

    def newest_spec(self, project_id: UUID, pipeline: str) -> Json:
        """The spec of a pipeline's newest version. Raises NotFound: none is registered."""
        spec = self._value("newest_spec", project_id=project_id, pipeline=pipeline)
        if spec is None:
            raise NotFound(f"no pipeline {pipeline} is registered; `controlroom schedule apply` registers one")
        return cast(Json, spec)

    def ticks(self, schedule_id: UUID, limit: int = 50) -> list[TickRow]:
        """Newest first."""
        return [TickRow(**row) for row in self._rows("ticks", schedule_id=schedule_id, limit=limit)]

    def due(self, limit: int = 200) -> list[DueClock]:
        return [DueClock(**row) for row in self._rows("due_schedules", limit=limit)]

    def decide_clocks(self, decisions: Sequence[Decision]) -> int:
        """Decides them in one transaction; how many ticks that were. What has changed since it was read is left alone."""
        return int(self._value("decide_clocks", decisions=jsonb([vars(each) for each in decisions])))

    def pending(self, limit: int = 200) -> list[UUID]:
        """Schedules with events that wait for a decision."""
        return [row["id"] for row in self._rows("pending_schedules", limit=limit)]

    def decide_events(self, schedule_id: UUID) -> int:
        return int(self._value("decide_events", schedule_id=schedule_id))

    def prune_ticks(self, keep: timedelta) -> int:
        return int(self._value("prune_ticks", keep=keep))


class Freshness(Calls):
    """Rules of how old datasets may be, and what the steward finds."""

    file = "schedules"

    def put_rule(
        self,
        project_id: UUID,
        env: str,
        dataset: str,
        warn: timedelta,
        error: timedelta,
        event_column: str | None = None,
    ) -> UUID:
        """Makes or changes the rule of a dataset (``layer.name``)."""
        made = self._value(
            "put_freshness_rule",
            project_id=project_id,
            env=env,
            dataset=dataset,
            warn_seconds=warn.total_seconds(),
            error_seconds=error.total_seconds(),
            event_column=event_column,
        )
        return cast(UUID, made)

    def remove_rule(self, project_id: UUID, env: str, dataset: str) -> None:
        self._do("remove_freshness_rule", project_id=project_id, env=env, dataset=dataset)

    def rules(self, env: str | None = None) -> list[FreshnessRow]:
        return [FreshnessRow(**row) for row in self._rows("freshness", env=env)]

    def unread(self, limit: int = 50) -> list[UnreadClock]:
        return [UnreadClock(**row) for row in self._rows("unread_clocks", limit=limit)]

    def record_event_time(self, version_id: UUID, event_time: datetime | None) -> None:
        """None: the column has no value that is a time."""
        self._do("record_event_time", version_id=version_id, event_time=event_time)

    def check(self) -> int:
        """Brings states and breaches in step with the clock; how many datasets are not fresh."""
        return int(self._value("check_freshness"))


class Webhooks(Calls):
    """What the door takes from senders, over the pool that logs in as ``controlroom_login``."""

    file = "schedules"

    def receive(self, schedule_id: UUID, message_id: str, timestamp: int, signatures: str, body: bytes) -> UUID:
        """The tick that a signed request becomes; a repeat of the message is the same tick.

        Raises:
            NotAllowed: no webhook takes it, for whatever reason.
        """
        taken = self._value(
            "receive_webhook",
            schedule_id=schedule_id,
            message_id=message_id,
            timestamp=timestamp,
            signatures=signatures,
            body=body,
        )
        return cast(UUID, taken)
