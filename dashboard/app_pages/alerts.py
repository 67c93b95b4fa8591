"""Alerts: what is wrong and who sees to it, what was sent; rules, routing and channels are parts of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.actions.alerts import acknowledge, end_silence, mute
from dashboard.alert_parts.routing import routing
from dashboard.alert_parts.rules import rules
from dashboard.components.gate import refreshed
from dashboard.components.paging import begin, place, turn
from dashboard.components.parts import show
from dashboard.components.render import faint, render
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.access import acts_in, position
from dashboard.views.alerts import (
    DELIVERIES,
    MUTES,
    alert_line,
    alert_tiles,
    left_out,
    message_lines,
    message_place,
    silence_words,
)
from dashboard.views.filters import id_named
from ops.access_reads import Access, MyProject
from ops.alerts import LOOKED_THROUGH, AlertRow, Alerts

# With two buttons each; more than that nobody works through on one page. As many resolved ones below them.
ROWS = 30
MESSAGES = 50
PLACE = "before"
ONLY_OPERATORS = "This needs the role operator there; ask an admin of the project."


@refreshed(5)
def listing(everything: bool, asked: str) -> None:
    """The list; above it the alert that the address names, whatever became of it and wherever it stands."""
    now, alert_id = datetime.now(UTC), id_named(asked)
    with asking() as connection:
        desk, mine = Alerts(connection), Access(connection).my_roles()
        counts, rows = desk.counts(), desk.ranked(ROWS, ROWS if everything else 0, alert_id)
    st.html(render("tiles", tiles=alert_tiles(counts)))
    first = [row for row in rows if row.alert_id == alert_id]
    others = [row for row in rows if row.alert_id != alert_id]
    if asked:
        st.html(faint("The link leads to this one." if first else f"There is no alert {asked} that you may see."))
    for row in first:
        one(row, mine, now)
    if first and others:
        st.html(faint("The others:"))
    if not rows:
        st.html(render("no_alerts"))
    for row in others:
        one(row, mine, now)
    if said := left_out(rows, counts, ROWS):
        st.caption(said)


def one(row: AlertRow, mine: list[MyProject], now: datetime) -> None:
    able = acts_in(mine, row.org, row.project, row.env)
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.html(render("alert", line=alert_line(row, now)))
        if row.state == "open" and st.button(
            "Acknowledge", key=f"ack_{row.alert_id}", disabled=not able, help=None if able else ONLY_OPERATORS
        ):
            with refused():
                acknowledge(row.alert_id)
                st.rerun()
        told = row.state != "resolved" and row.muted_until is None
        if told and st.button(
            "Mute…", key=f"mute_{row.alert_id}", disabled=not able, help=None if able else ONLY_OPERATORS
        ):
            st.session_state["muting"] = row
            st.rerun()


@st.dialog("Mute")
def ask_mute(row: AlertRow, mine: list[MyProject]) -> None:
    st.write(
        f"Nobody is told of “{row.rule}” about {row.group_key} in {row.env}. What is still wrong at the end is told then."
    )
    length = st.selectbox("For", list(MUTES), key="mute_length") or "1 hour"
    reason = st.text_input("Why", key="mute_reason")
    if st.button("Mute", type="primary", key="do_mute"):
        [project_id] = [each.project_id for each in mine if (each.org, each.project) == (row.org, row.project)]
        with refused():
            mute(project_id, row, MUTES[length], reason.strip())
            done(f"“{row.rule}” is mute for {length}.")


def alerts() -> None:
    everything = st.toggle("Resolved ones too", key="resolved", bind="query-params")
    # A dialog cannot be opened from a fragment that draws itself: the page does it.
    if row := st.session_state.pop("muting", None):
        with asking() as connection:
            ask_mute(row, Access(connection).my_roles())
    listing(bool(everything), st.query_params.get("alert", ""))


def messages() -> None:
    state = st.pills("State", list(DELIVERIES), key="state", bind="query-params", on_change=partial(begin, PLACE))
    ledger(state)


@refreshed(5)
def ledger(state: str | None) -> None:
    """A page of it, of messages in that state or in any."""
    with asking() as connection:
        rows = Alerts(connection).message_page(MESSAGES + 1, state, position(place(PLACE, state)))
    page = rows[:MESSAGES]
    narrow = f"None is {state} among the next {LOOKED_THROUGH:,} messages of each project." if state else ""
    drawn = render("messages", lines=message_lines(page, datetime.now(UTC)), narrow=narrow)
    if state and page:
        drawn += faint(
            f"Looked for among {LOOKED_THROUGH:,} messages of each project; older ones are not looked through."
        )
    st.html(drawn)
    turn(PLACE, state, message_place(page[-1]) if len(rows) > MESSAGES else None)


def silences() -> None:
    with asking() as connection:
        rows, mine = Alerts(connection).silences(), Access(connection).my_roles()
    st.html(render("silences", rows=[(row, silence_words(row)) for row in rows], now=datetime.now(UTC)))
    row = st.selectbox("Silence", rows, format_func=silence_words, key="silence") if rows else None
    # One of all environments is prod's too.
    able = row is not None and acts_in(mine, row.org, row.project, row.env or "prod")
    if row is not None and st.button(
        "End it", key="end_silence", disabled=not able, help=None if able else ONLY_OPERATORS
    ):
        with refused():
            end_silence(row.silence_id)
            done(f"{silence_words(row)} is told again.")


PARTS = {"Alerts": alerts, "Messages": messages, "Rules": rules, "Routing": routing, "Silences": silences}

st.title("Alerts")
show(PARTS)
