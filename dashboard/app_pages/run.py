"""One run, top to bottom: how it is, why, what it came to, what was said, whose it was. Followed until it has ended."""

from __future__ import annotations

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.data.source import asking
from dashboard.run_parts.artifacts import artifacts
from dashboard.run_parts.log import log
from dashboard.run_parts.now import live
from dashboard.run_parts.results import history, score, tables
from dashboard.run_parts.steer import steer
from ops.reads import Reads
from ops.run_reads import RunPages

REFRESH_SECONDS = 1.0

wanted = st.query_params.get("id", "")
if not wanted:
    st.info("No run is named; choose one from Runs.")
    st.stop()
with asking() as connection:
    reading, more = Reads(connection), RunPages(connection)
    run = reading.run(reading.resolve_run(wanted))
    usual, standing = more.usual(run.run_id), more.standing(run.run_id)
    names = [phase.name for phase in reading.phases(run.run_id)]
ended = run.status.terminal
refreshed(None if ended else REFRESH_SECONDS)(live)(run.run_id, ended, usual)
steer(run)
score(run)
tables(run)
log(run.run_id, ended, standing.events, names)
st.header("Artifacts")
artifacts(run.run_id)
history(run)
