"""One run: verdict, numbers, timeline, phases, tables, artifacts, score, log. Refreshed until it has ended."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.actions.runs import cancel, retry
from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.links import LIFETIME_SECONDS, Named, link
from dashboard.data.source import link_key, person, reads, rpc
from dashboard.views.run import facts, phase_lines, verdict
from dashboard.views.timeline import timeline
from ops.model import EventType, RunId, RunStatus
from ops.views import EventRow, RunDetail

REFRESH_SECONDS = 1.0
EVENTS_AT_ONCE = 500
# Links are made anew long before they are over, however long the page stays open.
LINK_SECONDS = LIFETIME_SECONDS / 4
LEVELS = {"all": None, "without progress": None, "warnings and errors": ("warning", "error")}


def live(run_id: RunId, ended: bool) -> None:
    source, now = reads(), datetime.now(UTC)
    run, phases, datasets = source.run(run_id), source.phases(run_id), source.dataset_versions(run_id)
    st.html(render("head", run=run, verdict=verdict(run, phases, now), facts=facts(run, datasets, now)))
    st.subheader("Timeline")
    st.html(render("timeline", timeline=timeline(run, phases, now)))
    st.subheader("Phases")
    st.html(render("phases", lines=phase_lines(phases, now)))
    if run.status.terminal and not ended:
        st.rerun()


@refreshed(LINK_SECONDS)
def artifacts(run_id: RunId) -> None:
    who = person()
    rows = reads(who).artifacts(run_id)
    links = [link(link_key(), Named(run_id, row.artifact_id, row.sha256), who.subject) for row in rows]
    st.html(render("artifacts", artifacts=zip(rows, links, strict=True)))


def left_behind(run: RunDetail) -> None:
    st.subheader("Tables")
    st.html(render("tables", run=run, datasets=reads().dataset_versions(run.run_id)))
    st.subheader("Artifacts")
    artifacts(run.run_id)
    st.subheader("Score")
    st.html(render("score", sentence=run.score_sentence, parts=run.score_breakdown or []))


@refreshed(None)
def log(run_id: RunId) -> None:
    st.subheader("Log")
    with rpc() as asking:
        chain = asking.verify_event_chain(run_id)
    whole = "whole" if chain.ok else f"broken at event {chain.first_bad_seq}: somebody changed the log"
    st.caption(f"{chain.events} events; the chain is {whole}")
    left, right, _ = st.columns([2, 3, 5])
    level = left.selectbox("Show", list(LEVELS), index=1, key="level") or "all"
    text = right.text_input("Containing", key="containing").casefold()
    after = st.session_state.setdefault("after", {}).get(str(run_id), 0)
    events = reads().events(run_id, after_seq=after, limit=EVENTS_AT_ONCE)
    st.html(render("events", events=[each for each in events if _wanted(each, level, text)]))
    begin, onward, _ = st.columns([1, 1, 8])
    if after and begin.button("First events", key="first"):
        st.session_state["after"][str(run_id)] = 0
        st.rerun(scope="fragment")
    if len(events) == EVENTS_AT_ONCE and onward.button("Next events", key="next"):
        st.session_state["after"][str(run_id)] = events[-1].seq
        st.rerun(scope="fragment")


def _wanted(event: EventRow, level: str, text: str) -> bool:
    if (levels := LEVELS[level]) is not None and event.level not in levels:
        return False
    if level == "without progress" and event.type is EventType.PHASE_PROGRESS:
        return False
    return text in f"{event.type} {event.phase} {event.message}".casefold()


def steer(run: RunDetail) -> None:
    if not run.status.terminal:
        if st.button("Cancel run", key="cancel", disabled=run.cancel_requested):
            cancel(run.run_id)
            st.rerun()
    elif run.status is not RunStatus.SUCCEEDED and st.button(
        "Retry run", key="retry", help="A new run on the same inputs; what succeeded stays done."
    ):
        st.switch_page("app_pages/run.py", query_params={"id": str(retry(run.run_id))})


wanted = st.query_params.get("id", "")
if not wanted:
    st.info("No run is named; choose one from Runs.")
    st.stop()
detail = reads().run(reads().resolve_run(wanted))
ended = detail.status.terminal
refreshed(None if ended else REFRESH_SECONDS)(live)(detail.run_id, ended)
steer(detail)
left_behind(detail)
log(detail.run_id)
