"""Backfills, and runs made of other runs: what is computed again, or for a past, and what that would be.

Like :mod:`ops.rpc`, only SQL decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from ops.calls import Calls
from ops.errors import BadInput, NotFound
from ops.jsonable import jsonb
from ops.model import RunId

Json = Mapping[str, Any]
PREFIX = 4


@dataclass(frozen=True)
class Estimate:
    """What to expect of a backfill, from medians of the pipeline's own runs; None where it has no history.

    Attributes:
        from_runs: runs that were looked at.
        runs: one a chunk.
        parallel: runs at once, also by the caps on runs.
        seconds: until it is done, where executors are free.
        executor_seconds: of all its runs together: what it costs.
    """

    from_runs: int
    runs: int
    parallel: int
    seconds: float | None
    executor_seconds: float | None
    rows: int | None
    bytes: int | None


@dataclass(frozen=True)
class PlannedChunk:
    """Partitions of one run: from ``first`` up to, not with, ``until``; None where partitions are values."""

    chunk: int
    first: str
    until: str | None
    partitions: int


@dataclass(frozen=True)
class BackfillPlan:
    """A backfill as it was ordered; ``id`` is None in a dry run."""

    id: UUID | None
    pipeline: str
    version: int
    env: str
    partitions: int
    chunks: Sequence[PlannedChunk]
    estimate: Estimate


@dataclass(frozen=True)
class BackfillRow:
    """A backfill and how many of its chunks are pending, queued (have an open run), succeeded, failed, canceled."""

    id: UUID
    org: str
    project: str
    env: str
    pipeline: str
    pipeline_version: int
    params: Json
    partition: Json
    partitions: int
    chunks: int
    chunk_size: int
    max_parallel: int
    max_tries: int
    priority: int
    state: str
    reason: str
    created_at: datetime
    created_by: str | None
    ended_at: datetime | None
    first: str
    last: str
    pending: int
    queued: int
    succeeded: int
    failed: int
    canceled: int


@dataclass(frozen=True)
class ChunkRow:
    """A chunk and its run: the last one, where it was tried more than once."""

    chunk: int
    first: str
    until: str | None
    partitions: int
    state: str
    tries: int
    run_id: UUID | None
    run_status: str | None
    error_code: str | None
    error_message: str | None
    settled_at: datetime | None


@dataclass(frozen=True)
class PhaseAgain:
    """A phase in a retry or replay: carried out ``again``, or standing as it was left."""

    ordinal: int
    name: str
    kind: str
    again: bool
    reason: str


class Backfills(Calls):
    """Calls over one connection or a pool, as whoever its role and claims say."""

    file = "backfills"

    def start(
        self, project_id: UUID, env: str, definition: Json, key: str | None = None, dry_run: bool = False
    ) -> BackfillPlan:
        """Orders a backfill (see docs/backfill.md for the definition); the same key gives the same one.

        Raises:
            NotFound: no version of the pipeline runs in that environment.
            BadInput: the definition is refused.
            Conflict: the key belongs to a backfill of other partitions.
        """
        made = cast(
            dict[str, Any],
            self._value(
                "start_backfill",
                project_id=project_id,
                env=env,
                definition=jsonb(definition),
                key=key,
                dry_run=dry_run,
            ),
        )
        return BackfillPlan(
            UUID(made["id"]) if made["id"] else None,
            made["pipeline"],
            made["version"],
            made["env"],
            made["partitions"],
            tuple(PlannedChunk(**each) for each in made["chunks"]),
            Estimate(**made["estimate"]),
        )

    def pause(self, backfill_id: UUID, reason: str = "") -> str:
        """Makes no further runs; those that are open go on. The state that it has now."""
        return str(self._value("pause_backfill", backfill_id=backfill_id, reason=reason))

    def resume(self, backfill_id: UUID) -> str:
        """Goes on with a paused one, or with the failed chunks of one that failed.

        Raises:
            IllegalTransition: it has succeeded or was canceled.
        """
        return str(self._value("resume_backfill", backfill_id=backfill_id))

    def cancel(self, backfill_id: UUID, reason: str = "") -> str:
        """Ends it and cancels its open runs; partitions that have succeeded stay."""
        return str(self._value("cancel_backfill", backfill_id=backfill_id, reason=reason))

    def advance(self, limit: int = 500) -> int:
        """The steward's step; how many chunks it moved."""
        return int(self._value("advance_backfills", limit=limit))

    def backfills(
        self,
        env: str | None = None,
        state: str | None = None,
        backfill_id: UUID | None = None,
        limit: int = 50,
        project_id: UUID | None = None,
        pipeline: str | None = None,
    ) -> list[BackfillRow]:
        """Newest first."""
        rows = self._rows(
            "backfills", id=backfill_id, env=env, state=state, limit=limit, project_id=project_id, pipeline=pipeline
        )
        return [BackfillRow(**row) for row in rows]

    def chunks(self, backfill_id: UUID) -> list[ChunkRow]:
        return [ChunkRow(**row) for row in self._rows("chunks", backfill_id=backfill_id)]

    def telling_chunks(self, backfill_id: UUID, limit: int = 200) -> list[ChunkRow]:
        """The first of them, failed ones before those at work, those before what is left."""
        return [ChunkRow(**row) for row in self._rows("telling_chunks", backfill_id=backfill_id, limit=limit)]

    def resolve(self, text: str) -> BackfillRow:
        """A backfill by its id or the id's first digits.

        Raises:
            NotFound: there is none.
            BadInput: it is no beginning of an id, or that of several.
        """
        digits = text.replace("-", "").lower()
        if not re.fullmatch(f"[0-9a-f]{{{PREFIX},32}}", digits):
            raise BadInput(f"{text!r} is no backfill; give its id or the first digits of it, {PREFIX} or more")
        found = self._rows("backfills_by_prefix", prefix=digits)
        if len(found) > 1:
            raise BadInput(f"several backfills begin with {text}; give more digits")
        rows = self.backfills(backfill_id=found[0]["id"]) if found else []
        if not rows:
            raise NotFound(f"there is no backfill {text}; `controlroom backfill list` shows those there are")
        return rows[0]

    def replay(self, run_id: RunId) -> RunId:
        """A new run of the same definition on the same pinned inputs, all phases; what it commits is its own.

        Raises:
            IllegalTransition: the run has not ended, has pinned no inputs, or appends.
            Conflict: what it wrote has been made since from newer inputs.
        """
        return RunId(self._value("replay_run", run_id=run_id))

    def preview(self, run_id: RunId, way: str = "retry", from_phase: str | None = None) -> list[PhaseAgain]:
        """What a ``retry``, a retry on the ``latest`` definition or a ``replay`` would carry out; errors as they have."""
        rows = self._rows("preview_rerun", run_id=run_id, way=way, from_phase=from_phase)
        return [PhaseAgain(**row) for row in rows]
