"""Home: what needs somebody now, whether each part lives, which runs are in which state, what is due next. Live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render, section
from dashboard.data.shared import shared
from dashboard.data.source import settings
from dashboard.views.home import (
    Need,
    alert_needs,
    backfill_needs,
    cap_needs,
    due_next,
    failure_needs,
    fleet_needs,
    freshness_needs,
    ranked_needs,
    steward_needs,
)
from dashboard.views.parts import by_pipeline, part_tiles, throughput, totals
from dashboard.views.runs import TILES, tiles
from ops.alerts import UNRESOLVED, Alerts
from ops.backfills import Backfills
from ops.cap_reads import Caps
from ops.database import Connection
from ops.fleet_reads import Fleet, FleetExecutor
from ops.home_reads import Home
from ops.model import RunStatus
from ops.reads import Reads
from ops.schedules import Freshness, Schedules

# Each costs a look at its run; who has more than these reads the list of pipelines.
FAILURES = 5
PAUSED = 5


def look(connection: Connection) -> tuple[str, str, str, str]:
    """What is wrong, whether each part lives, how many runs there are, what is due: as they are drawn."""
    patience, now = timedelta(seconds=settings().lease_seconds), datetime.now(UTC)
    executors, home = Fleet(connection).executors(), Home(connection)
    counted = home.pipeline_counts()
    counts, parts = totals(counted), home.parts()
    needs = ranked_needs(
        [
            *steward_needs(parts, patience),
            *needed(connection, executors, counts[RunStatus.QUEUED], patience, now),
        ]
    )
    states = [*tiles(counts, Reads(connection).executors(now - patience)), throughput(counted)]
    return (
        render("needs", needs=needs),
        render("parts", parts=part_tiles(parts, executors, patience, settings().superset_opened_at)),
        render("tiles", tiles=states) + render("pipeline_states", lines=by_pipeline(counted), names=list(TILES)),
        render("due", rows=due_next(Schedules(connection).schedules(), now)),
    )


def needed(
    connection: Connection, executors: Sequence[FleetExecutor], queued: int, patience: timedelta, now: datetime
) -> list[Need]:
    """All that needs somebody."""
    source, alerts = Reads(connection), Alerts(connection).ranked(UNRESOLVED)
    broken = [source.run(run_id) for run_id in Home(connection).failing(FAILURES)]
    return [
        *alert_needs(alerts, now),
        *failure_needs(broken, alerts, now),
        *freshness_needs(Freshness(connection).rules(), alerts),
        *fleet_needs(executors, Fleet(connection).leases(), queued, patience, now),
        *cap_needs(Caps(connection).standing()),
        *backfill_needs(Backfills(connection).backfills(state="paused", limit=PAUSED)),
    ]


@refreshed(3)
def now_or_later() -> None:
    needs, parts, states, due = shared("home", None, look)
    rest = section("Parts", parts) + section("Runs at work, and of the last day", states) + section("Due next", due)
    st.html(needs + rest)


st.title("Home")
now_or_later()
