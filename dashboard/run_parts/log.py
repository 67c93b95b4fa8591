"""A run's log: filtered by level, phase and words, page by page or followed to its end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.data.source import asking, rpc
from dashboard.views.run_log import LEVELS, event_lines, first_window, last_window, onward, wanted
from dashboard.views.words import count
from ops.model import RunId
from ops.run_reads import LOG_PAGE, LogFilter, RunPages

FOLLOW_SECONDS = 2.0
# So many of the last events are sent again and again.
FOLLOWED = 30
# A longer chain is looked through when somebody asks for it.
CHAIN_AT_ONCE = 1_000
EVERY_PHASE = "all phases"


def log(run_id: RunId, ended: bool, events: int, phases: Sequence[str]) -> None:
    """The fields, which stand in the address, and below them the events."""
    st.html(section("Log"))
    chain(run_id, events)
    levels, names, words, following = st.columns([2, 2, 4, 2], vertical_alignment="bottom")
    anew = partial(go_behind, run_id, 0)
    level = levels.selectbox("Show", list(LEVELS), 1, key="level", bind="query-params", on_change=anew) or "all"
    phase = names.selectbox("Phase", [EVERY_PHASE, *phases], key="phase", bind="query-params", on_change=anew)
    text = words.text_input(
        "Words", key="words", placeholder="part of what was said", bind="query-params", on_change=anew
    )
    chosen = wanted(level, "" if phase in (None, EVERY_PHASE) else str(phase), text or "")
    if following.toggle(
        "Follow", value=not ended, key=f"follow_{run_id}", help="The last events, asked for again and again."
    ):
        refreshed(None if ended else FOLLOW_SECONDS)(tail)(run_id, chosen, LOG_PAGE if ended else FOLLOWED)
    else:
        page(run_id, chosen)


def go_behind(run_id: RunId, event: int) -> None:
    """The page begins behind that event, of this run and not of the next one opened; another filter begins at the first."""
    st.session_state[f"after_{run_id}"] = event


def tail(run_id: RunId, chosen: LogFilter, most: int) -> None:
    with asking() as connection:
        more = RunPages(connection)
        window = last_window(more.standing(run_id).events)
        rows = more.tail(run_id, chosen, window.after, window.until)
    drawn = render("events", lines=event_lines(rows[-most:]), latest=True)
    if len(rows) > most:
        drawn += faint(f"The last {most}; without Follow all of them can be looked through.")
    elif window.after:
        drawn += faint(f"Of the events after the {window.after:,}th; without Follow all of them can be looked through.")
    st.html(drawn)


@refreshed(None)
def page(run_id: RunId, chosen: LogFilter) -> None:
    window = first_window(st.session_state.get(f"after_{run_id}", 0))
    with asking() as connection:
        more = RunPages(connection)
        events = more.standing(run_id).events
        rows = more.log(run_id, chosen, window.after, window.until)
    st.html(render("events", lines=event_lines(rows), latest=False))
    first, next_, _ = st.columns([1, 1, 8])
    if window.after:
        first.button("First events", key="first", on_click=go_behind, args=(run_id, 0))
    then = onward(rows, window, events)
    if then is not None and then < events:
        next_.button("Next events", key="next", on_click=go_behind, args=(run_id, then))


@refreshed(None)
def chain(run_id: RunId, events: int) -> None:
    """Whether the hash chain is whole. Every event is hashed again, so a long one is not looked at unasked."""
    if events > CHAIN_AT_ONCE and not st.session_state.get(f"chain_{run_id}"):
        st.html(faint(f"{count(events, 'event')}, each with the hash of the one before."))
        if not st.button("Check the chain", key=f"chain_{run_id}"):
            return
    with rpc() as calling:
        found = calling.verify_event_chain(run_id)
    state = "whole" if found.ok else f"broken at event {found.first_bad_seq}: somebody changed the log"
    st.html(faint(f"{count(found.events, 'event')}; the chain is {state}"))
