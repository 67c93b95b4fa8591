"""Set, change and remove caps: for the admins of the org or project that a cap holds for."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.actions.limits import remove_cap, set_cap
from dashboard.cap_parts.words import ONLY_ADMINS
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.caps import amount_words
from dashboard.views.limits import UNITS, cap_change, cap_label, periods_of
from ops.access_reads import Access, Place
from ops.cap_reads import Caps, CapStanding
from ops.limits import decimal_of


def edit_caps() -> None:
    """The buttons below the table."""
    with asking() as connection:
        places, rows = Access(connection).administered(), Caps(connection).standing()
    mine = [cap for cap in rows if Place(cap.org, cap.project) in places]
    why = None if places else ONLY_ADMINS
    make, change, remove, _ = st.columns([1, 1, 1, 5])
    if make.button("New cap…", key="new_cap", disabled=not places, help=why):
        ask_new(places)
    if change.button("Change…", key="change_cap", disabled=not mine, help=why or _none(mine)):
        ask_change(mine)
    if remove.button("Remove…", key="remove_cap", disabled=not mine, help=why or _none(mine)):
        ask_removal(mine)
    if why:
        st.caption(why)


def _none(mine: Sequence[CapStanding]) -> str | None:
    return None if mine else "There is no cap of a place that you administer."


@st.dialog("New cap")
def ask_new(places: Sequence[Place]) -> None:
    place = st.selectbox(
        "Holds for", places, format_func=lambda each: f"{each}{'' if each.project else ' (whole org)'}"
    )
    key = st.text_input("Name", key="cap_key", placeholder="such as rows_a_day")
    pipeline = st.text_input("Only runs of pipeline", key="cap_pipeline", disabled=place is None or not place.project)
    unit = st.selectbox("Counts", UNITS, key="cap_unit") or "runs"
    period = st.selectbox("By", periods_of(unit), key=f"cap_period_{unit == 'runs'}") or "day"
    amount = st.text_input("Allows", key="cap_amount", placeholder="a number, in the unit")
    st.caption("Runs that it has no room for wait. Money is in the currency of the prices.")
    if st.button("Set", type="primary", key="do_set_cap") and place is not None:
        with refused():
            set_cap(place, key.strip(), unit, decimal_of(amount, "the amount"), period, pipeline.strip() or None)
            done(f"Cap {key.strip()} holds for {place}.")


@st.dialog("Change a cap")
def ask_change(mine: Sequence[CapStanding]) -> None:
    cap = st.selectbox("Cap", mine, format_func=cap_label, key="changed_cap")
    if cap is None:
        return
    text = st.text_input("Allows", f"{cap.amount.normalize():f}", key=f"amount_{cap.cap_id}")
    with refused():
        amount = decimal_of(text, "the amount")
        st.write(cap_change(cap, amount))
        if st.button("Change", type="primary", key="do_change_cap"):
            set_cap(Place(cap.org, cap.project), cap.key, cap.unit, amount, cap.period, cap.pipeline)
            done(f"Cap {cap.key} allows {amount_words(amount, cap.unit)}.")


@st.dialog("Remove a cap")
def ask_removal(mine: Sequence[CapStanding]) -> None:
    cap = st.selectbox("Cap", mine, format_func=cap_label, key="removed_cap")
    if cap is None:
        return
    st.write(
        f"Nothing is limited by {cap.key} any more. What was charged to it is forgotten; the audit log keeps the cap."
    )
    if st.button("Remove", type="primary", key="do_remove_cap"):
        with refused():
            remove_cap(cap)
            done(f"Cap {cap.key} is removed.")
