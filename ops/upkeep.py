"""What the steward does for the schema itself: executors that fell silent, scores that nobody asked for, history."""

from __future__ import annotations

from datetime import timedelta

from ops.calls import Calls


class Upkeep(Calls):
    """Calls over one connection or a pool, for the back end's role."""

    file = "upkeep"

    def mark_lost_executors(self, stale_seconds: float) -> int:
        """Calls executors lost that were silent for longer; returns how many."""
        return int(self._value("mark_lost_executors", stale_seconds=stale_seconds))

    def score_ended_runs(self, limit: int = 200, within: timedelta = timedelta(days=1)) -> int:
        """Scores runs that ended ``within`` and have no score yet; returns how many."""
        return int(self._value("score_ended_runs", limit=limit, within=within))

    def prune(self, keep: timedelta) -> None:
        """Drops history older than ``keep``."""
        self._do("prune", keep=keep)

    def ensure_event_partitions(self) -> None:
        """Creates the event partitions of the months to come."""
        self._do("ensure_event_partitions")
