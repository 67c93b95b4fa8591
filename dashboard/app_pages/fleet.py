"""Fleet: executors, their slots and leases, and those that were lost within a day."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.data.source import asking, settings
from dashboard.views.fleet import executor_lines, fleet_tiles, hosts
from ops.fleet_reads import Fleet

NOBODY = "No executor was heard of within a day. Start one with controlroom executor, or the whole stack with controlroom up."
LOST = "Not heard of for too long; their runs went back to the queue. One that comes back says so itself."
DRAIN = """kill -TERM PROCESS               # one executor
python -m compute.fleet drain    # all that work on Ray"""


@refreshed(2)
def fleet() -> None:
    patience = timedelta(seconds=settings().lease_seconds)
    with asking() as connection:
        reading = Fleet(connection)
        executors, leases = reading.executors(), reading.leases()
    here, lost = executor_lines(executors, leases, patience)
    drawn = render("tiles", tiles=fleet_tiles(executors, leases, patience))
    drawn += faint(f"{hosts(here)}. Counted are leases on runs that you may see.")
    drawn += render("fleet", lines=here, empty=NOBODY)
    if lost:
        drawn += section("Lost within a day", faint(LOST) + render("fleet", lines=lost, empty=""))
    st.html(drawn)


def draining() -> None:
    with st.expander("Take an executor out of work"):
        st.write(
            "An executor that is asked to drain takes no further run, ends the phases that it is in and hands back the "
            "rest. It is asked on its own host, by who may stop processes there; the number at the end of its name is "
            "its process:"
        )
        st.html(render("command", text=DRAIN))
        st.caption("Stopping its container or service does the same, if that waits for as long as a drain takes.")


st.title("Fleet")
fleet()
draining()
