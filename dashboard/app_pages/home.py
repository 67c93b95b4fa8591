"""Home: what needs somebody now, how many runs are in which state, what is due next. Live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.shared import shared
from dashboard.data.source import settings
from dashboard.views.home import (
    alert_needs,
    due_next,
    failing,
    failure_needs,
    fleet_needs,
    freshness_needs,
    ranked_needs,
)
from dashboard.views.runs import tiles
from ops.alerts import Alerts
from ops.database import Connection
from ops.fleet_reads import Fleet
from ops.model import RunStatus
from ops.pipeline_reads import Pipelines
from ops.reads import Reads
from ops.schedules import Freshness, Schedules

# Each costs a look at its run; who has more than these reads the list of pipelines.
FAILURES = 5


def look(connection: Connection) -> tuple[str, str, str]:
    """What is wrong, how many runs there are, what is due: as they are drawn."""
    patience = timedelta(seconds=settings().lease_seconds)
    source, now = Reads(connection), datetime.now(UTC)
    alerts, late = Alerts(connection).alerts(), Freshness(connection).rules()
    executors, leases = Fleet(connection).executors(), Fleet(connection).leases()
    broken = failing(Pipelines(connection).page())
    schedules = Schedules(connection).schedules()
    counts = source.status_counts()
    runs = [source.run(run.run_id) for _, run in broken[:FAILURES]]
    needs = ranked_needs(
        [
            *alert_needs(alerts, now),
            *failure_needs(runs, alerts, now),
            *freshness_needs(late),
            *fleet_needs(executors, leases, counts[RunStatus.QUEUED], patience, now),
        ]
    )
    return (
        render("needs", needs=needs),
        render("tiles", tiles=tiles(counts, source.executors(now - patience))),
        render("due", rows=due_next(schedules, now)),
    )


@refreshed(3)
def now_or_later() -> None:
    needs, states, due = shared("home", None, look)
    st.html(needs)
    st.header("Runs of the last day")
    st.html(states)
    st.header("Due next")
    st.html(due)


st.title("Home")
now_or_later()
