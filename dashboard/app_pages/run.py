"""One run, top to bottom: how it is, why, what it came to, what was said, whose it was. Followed until it has ended."""

from __future__ import annotations

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import section
from dashboard.data.source import asking
from dashboard.run_parts.artifacts import artifacts
from dashboard.run_parts.log import log
from dashboard.run_parts.now import head, progress
from dashboard.run_parts.results import history, score, tables
from dashboard.run_parts.steer import steer
from dashboard.views.run import MANY
from ops.reads import Reads
from ops.run_reads import RunPages

HEAD_SECONDS, TABLES_SECONDS = 2.0, 5.0

wanted = st.query_params.get("id", "")
if not wanted:
    st.info("No run is named; choose one from Runs.")
    st.stop()
with asking() as connection:
    reading, more = Reads(connection), RunPages(connection)
    run = reading.run(reading.resolve_run(wanted))
    usual, standing = more.usual(run.run_id), more.standing(run.run_id)
    phases = reading.phases(run.run_id)
ended = run.status.terminal
refreshed(None if ended else HEAD_SECONDS)(head)(run, phases, usual)
steer(run, phases)
whole = len(phases) <= MANY
if not whole:
    whole = st.toggle(f"All {len(phases)} phases", key="whole", bind="query-params")
refreshed(None if ended else HEAD_SECONDS)(progress)(run, phases, usual, whole)
score(run, phases)
refreshed(None if ended else TABLES_SECONDS)(tables)(run, phases, whole)
log(run.run_id, ended, standing.events, [phase.name for phase in phases])
st.html(section("Artifacts"))
artifacts(run.run_id)
refreshed(None if ended else TABLES_SECONDS)(history)(run.run_id)
