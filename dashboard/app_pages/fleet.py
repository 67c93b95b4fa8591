"""Fleet: executors, their slots and leases, those that were lost within a day; and one that is to end."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from dashboard.actions.fleet import drain
from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.components.said import done, refused, tell
from dashboard.data.source import asking, settings
from dashboard.views.fleet import at_work, drain_words, executor_lines, executor_name, fleet_tiles, hosts, may_drain
from ops.access_reads import Access
from ops.fleet_reads import Fleet, FleetExecutor

NOBODY = "No executor was heard of within a day. Start one with controlroom executor, or the whole stack with controlroom up."
LOST = "Not heard of for too long; their runs went back to the queue. One that comes back says so itself."
DRAINS = (
    "An executor that is asked to drain takes no further run, ends the phases that it is in, hands back the rest and ends. "
    "Stopping its container or service does the same, if that waits for as long as a drain takes."
)
ONLY_INSTALLATION = (
    "Executors are the installation's: its operator drains them at the machine, or who is an admin of every org."
)
BY_HAND = """kill -TERM PROCESS               # one executor
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


@st.dialog("Before it is done")
def ask(executor: FleetExecutor, said: list[str]) -> None:
    for line in said:
        st.write(line)
    if st.button(f"Drain {executor.name}", type="primary", key="do_drain"):
        with refused():
            news = drain(executor.executor_id)
            done(f"{executor.name} {'is' if news else 'was already'} asked to drain.")


def draining() -> None:
    patience = timedelta(seconds=settings().lease_seconds)
    with asking() as connection:
        reading = Fleet(connection)
        executors, leases = reading.executors(), reading.leases()
        mine = Access(connection).is_installation_admin()
    known = {each.executor_id: each for each in may_drain(executors, patience)}
    with st.expander("Take an executor out of work"):
        st.caption(DRAINS)
        # None is chosen beforehand: the one that was, may be gone by the time of the press.
        name = st.selectbox("Executor", list(known), None, lambda each: executor_name(known[each]), key="drained")
        why = None if mine else ONLY_INSTALLATION
        if st.button("Drain…", key="drain", disabled=name is None or not mine, help=why) and name is not None:
            ask(known[name], drain_words(known[name], leases, at_work(executors, patience) - {name}))
        if said := why or (None if known else "No executor takes runs."):
            st.caption(said)
        st.caption(
            "On its own host, by who may stop processes there; the number at the end of its name is its process:"
        )
        st.html(render("command", text=BY_HAND))


st.title("Fleet")
tell()
fleet()
draining()
