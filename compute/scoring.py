"""The steward's part in scores: those of runs that have ended, a few at a time."""

from __future__ import annotations

import time
from datetime import timedelta

from ops.database import Connection
from ops.upkeep import Upkeep

BATCH = 10


def score(connection: Connection, within: timedelta, budget_seconds: float) -> int:
    """Scores runs that ended ``within`` until none is left or the time is used up; returns how many.

    A score looks through weeks of history: scoring all that a busy minute has ended at one go would keep the steward from
    giving lost runs back.
    """
    upkeep, until, scored = Upkeep(connection), time.monotonic() + budget_seconds, 0
    while True:
        done = upkeep.score_ended_runs(BATCH, within)
        scored += done
        if done < BATCH or time.monotonic() >= until:
            return scored
