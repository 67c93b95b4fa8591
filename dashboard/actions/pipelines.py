"""Schedules, backfills and refreshes, in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from dashboard.data.source import asking
from ops.backfills import BackfillPlan, Backfills
from ops.model import RefreshAsked
from ops.refreshes import Refreshes
from ops.schedules import Schedules

Json = Mapping[str, object]


def pause_schedule(schedule_id: UUID, reason: str) -> None:
    """Starts nothing until it is resumed. Raises NotAllowed."""
    with asking() as connection:
        Schedules(connection).pause(schedule_id, reason)


def resume_schedule(schedule_id: UUID, late: bool) -> None:
    """Goes on; ``late``: what was due in the pause is made up for. Raises NotAllowed."""
    with asking() as connection:
        Schedules(connection).resume(schedule_id, late)


def fire_schedule(schedule_id: UUID) -> UUID:
    """The run that is queued now. Raises NotAllowed, and what a start may be refused for."""
    with asking() as connection:
        return Schedules(connection).fire(schedule_id)


def plan_backfill(project_id: UUID, env: str, definition: Json) -> BackfillPlan:
    """What a backfill would be; nothing is made. Raises NotAllowed, NotFound, BadInput."""
    with asking() as connection:
        return Backfills(connection).start(project_id, env, definition, None, True)


def start_backfill(project_id: UUID, env: str, definition: Json, key: str) -> BackfillPlan:
    """Orders it; the same key gives the same one. Raises NotAllowed, NotFound, BadInput, Conflict."""
    with asking() as connection:
        return Backfills(connection).start(project_id, env, definition, key)


def pause_backfill(backfill_id: UUID) -> str:
    """Makes no further runs. The state that it has now. Raises NotAllowed."""
    with asking() as connection:
        return Backfills(connection).pause(backfill_id, "from the page")


def resume_backfill(backfill_id: UUID) -> str:
    """Goes on; failed chunks are tried again. Raises NotAllowed, IllegalTransition."""
    with asking() as connection:
        return Backfills(connection).resume(backfill_id)


def cancel_backfill(backfill_id: UUID, reason: str) -> str:
    """Ends it and cancels its open runs. Raises NotAllowed."""
    with asking() as connection:
        return Backfills(connection).cancel(backfill_id, reason)


def start_refresh(
    project_id: UUID, env: str, asked: RefreshAsked, within: Mapping[str, float] | None, note: str
) -> UUID:
    """Queues the run that builds it. Raises NotAllowed, BadInput, Conflict."""
    with asking() as connection:
        return Refreshes(connection).start(project_id, env, asked, within, note)


def swap_refresh(refresh_id: UUID, note: str) -> None:
    """Gives readers what it has built. Raises NotAllowed, IllegalTransition, Conflict."""
    with asking() as connection:
        Refreshes(connection).swap(refresh_id, note)


def roll_back_refresh(refresh_id: UUID, later: bool, note: str) -> None:
    """Gives readers what they had. Raises NotAllowed, IllegalTransition, Conflict."""
    with asking() as connection:
        Refreshes(connection).roll_back(refresh_id, later, note)
