"""What the page looks at: a long history, and one run whose events are real and many."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.lease import queue
from benchmarks.noop import noops
from ops.database import LOCAL_OPERATOR, Connection
from ops.model import EventType, NewEvent, PhaseStatus, RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy

HERE = Path(__file__).parent
BATCH = 500
# Phases and events of the run that is opened.
FULL_RUN, QUICK_RUN = (100, 10_000), (5, 50)
PROJECTS = 20
# So many runs still have their events.
TOLD = 1_000_000


def fill(connection: Connection, runs: int) -> None:
    """Fills the tables and their statistics; who works at the machine is a member of the whole org."""
    text = (HERE / "fill.sql").read_text()
    sizes = {"runs": runs, "told": min(runs, TOLD), "projects": PROJECTS}
    connection.execute(psycopg.ClientCursor(connection).mogrify(text, sizes).encode())
    connection.execute("vacuum analyze")
    Tenancy(connection).set_member("bench", None, LOCAL_OPERATOR, "admin")


def long_run(connection: Connection, phases: int, events: int) -> RunId:
    """A run of so many phases that has succeeded, with so many events of progress between."""
    rpc, executor = Rpc(connection), uuid4()
    rpc.register_executor(executor, "bench")
    queue(rpc, noops(phases), "long")
    [run] = rpc.claim_run(executor, ("noop",), 3600.0)
    mine = (run.run_id, run.lease_token)
    rpc.start_run(*mine)
    for number in range(phases):
        name = f"noop_{number}"
        rpc.start_phase(*mine, name)
        for begin in range(0, events // phases, BATCH):
            size = min(BATCH, events // phases - begin)
            told = [
                NewEvent(uuid4(), EventType.PHASE_PROGRESS, name, data={"done": begin + each, "total": events})
                for each in range(size)
            ]
            rpc.append_events(*mine, told)
        rpc.finish_phase(*mine, name, PhaseStatus.SUCCEEDED, {"rows_in": 10, "rows_out": 10})
    rpc.complete_run(*mine, {})
    Tenancy(connection).set_member("default", "long", LOCAL_OPERATOR, "admin")
    return run.run_id
