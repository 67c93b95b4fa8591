"""Whom an alert concerns: the routing matrix as a table to type into, and the channels that it names."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from dashboard.actions.alerts import put_channel, remove_channel, route, try_channel
from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.access import ACTING
from dashboard.views.alerts import escalation_words, route_match
from dashboard.views.routing import change_lines, route_changes, table_of
from dashboard.views.words import count
from ops.access_reads import Access, MyProject
from ops.alerts import Alerts, ChannelRow, RouteRow
from ops.errors import BadInput

INSTALLATIONS = "The matrix is the installation's: it is changed by its operator, or who is an admin of every org."


def routing() -> None:
    with asking() as connection:
        rows, able = Alerts(connection).routes(), Access(connection).is_installation_admin()
    st.caption(
        "The first row that fits an alert answers for it; its primary owner is told by every channel of that name."
    )
    why = None if able else INSTALLATIONS
    if st.toggle("Edit", key="edit_routes", disabled=not able, help=why) and able:
        edit_routes(rows)
    else:
        st.html(render("routes", rows=[(row, route_match(row), escalation_words(row)) for row in rows]))
    if why:
        st.caption(why)
    channels(able)


def edit_routes(rows: list[RouteRow]) -> None:
    """The matrix to type into; below it what that changes, and the button."""
    table = pl.DataFrame(table_of(rows))
    edited = st.data_editor(table, num_rows="add", hide_index=True, key="routes", alt="the routing matrix")
    try:
        changes = route_changes(rows, edited.to_dicts())
    except BadInput as error:
        st.warning(error.message)
        return
    for line in change_lines(rows, changes):
        st.write(line)
    if st.button("Save", type="primary", key="save_routes", disabled=not changes):
        with refused():
            route(changes)
            st.session_state.pop("routes", None)
            done(f"{count(len(changes), 'row')} of the matrix changed.")


def channels(able: bool) -> None:
    """Where messages go, and whether they arrive there."""
    with asking() as connection:
        rows, mine = Alerts(connection).channels(), Access(connection).my_roles()
    st.html(section("Channels", render("channels", rows=rows)))
    # Whose the test's message is: an operator's of prod, as the database asks.
    testers = [each for each in mine if each.roles.get("prod") in ACTING]
    if st.button("New channel…", key="new_channel", disabled=not able, help=None if able else INSTALLATIONS):
        ask_new()
    if rows:
        one(rows, testers, able)
    if "tested" in st.session_state:
        answer()


def one(rows: Sequence[ChannelRow], testers: Sequence[MyProject], able: bool) -> None:
    """The buttons of the channel that is chosen."""
    which, test, change, remove = st.columns([4, 1, 1, 1], vertical_alignment="bottom")
    known = {row.name: row for row in rows}
    name = which.selectbox("Channel", list(known), key="channel") or rows[0].name
    why_not = None if testers else "This needs the role operator in prod; ask an admin of a project."
    if test.button("Test", key="test_channel", disabled=not testers, help=why_not):
        with refused():
            st.session_state["tested"] = try_channel(testers[0].project_id, name)
    why = None if able else INSTALLATIONS
    if change.button("Change…", key="change_channel", disabled=not able, help=why):
        ask_change(known[name])
    if remove.button("Remove…", key="remove_channel", disabled=not able, help=why):
        ask_removal(name)


@refreshed(1)
def answer() -> None:
    """What became of the test's message, until it arrived."""
    with asking() as connection:
        row = Alerts(connection).message(st.session_state["tested"])
    why = f": {row.last_error}" if row.last_error else ""
    st.html(faint(f"The test of {row.channel} is {row.state}{why}."))


@st.dialog("New channel")
def ask_new() -> None:
    name = st.text_input("Name", key="channel_name", placeholder="small letters, digits, - and _").strip()
    fields(ChannelRow(name, "", None, ""), "new")


@st.dialog("Change a channel")
def ask_change(row: ChannelRow) -> None:
    st.write(row.name)
    fields(row, row.name)


def fields(row: ChannelRow, of: str) -> None:
    """All but the name, and the button. ``of`` keeps what is typed for one channel from another."""
    secret = st.text_input(
        "Address", row.secret, key=f"channel_secret/{of}", placeholder="secret://file/NAME",
        help="A reference: an address holds a password. What it stands for is an Apprise URL.",
    )  # fmt: skip
    owner = st.text_input("Whose", row.owner or "", key=f"channel_owner/{of}", placeholder="@data-owners")
    what = st.text_input("What it is", row.description, key=f"channel_what/{of}")
    if st.button("Save", type="primary", key="save_channel", disabled=not (row.name and secret.strip())):
        with refused():
            put_channel(row.name, secret.strip(), owner.strip() or None, what.strip())
            done(f"Channel {row.name} is {'made' if of == 'new' else 'changed'}.")


@st.dialog("Remove a channel")
def ask_removal(name: str) -> None:
    st.write(f"Nobody is told by {name} any more; messages that wait for it say so.")
    if st.button("Remove", type="primary", key="do_remove_channel"):
        with refused():
            remove_channel(name)
            done(f"Channel {name} is removed.")
