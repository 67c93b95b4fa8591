"""Pools and their slots; what a unit costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.actions.limits import remove_pool, set_pool, set_price
from dashboard.cap_parts.words import ONLY_ADMINS
from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.limits import PRICED, pool_lines, pool_where, price_lines
from dashboard.views.words import count
from ops.access_reads import Access, Place
from ops.limits import Limits, PoolRow, decimal_of


def pools() -> None:
    """The live table and its buttons."""
    pool_table()
    with asking() as connection:
        places, rows = Access(connection).administered(), Limits(connection).pools()
    mine = [row for row in rows if Place(row.org, row.project) in places]
    why = None if places else ONLY_ADMINS
    put, remove, _ = st.columns([1, 1, 6])
    if put.button("Set slots…", key="set_pool", disabled=not places, help=why):
        ask_slots(places, mine)
    if remove.button("Remove…", key="remove_pool", disabled=not mine, help=why):
        ask_removal(mine)
    st.caption(why or "A spec names the pools that its runs take a slot of. Counted are the runs that you may see.")


@refreshed(5)
def pool_table() -> None:
    with asking() as connection:
        rows = Limits(connection).pools()
    st.html(render("pools", lines=pool_lines(rows)))


@st.dialog("Slots of a pool")
def ask_slots(places: Sequence[Place], mine: Sequence[PoolRow]) -> None:
    place = st.selectbox(
        "Holds for", places, format_func=lambda each: f"{each}{'' if each.project else ' (whole org)'}"
    )
    name = st.text_input("Name", key="pool_name", placeholder="as specs name it").strip()
    known = next((row for row in mine if place == Place(row.org, row.project) and row.name == name), None)
    slots = int(st.number_input("Slots", 0, 10_000, known.slots if known else 1, key="pool_slots"))
    if known:
        st.write(
            f"It has {count(known.slots, 'slot')}, {known.used} in use. What is in use stays so until its run ends."
        )
    if st.button("Set", type="primary", key="do_set_pool") and place is not None:
        with refused():
            set_pool(place, name, slots)
            done(f"Pool {name} of {place} has {count(slots, 'slot')}.")


@st.dialog("Remove a pool")
def ask_removal(mine: Sequence[PoolRow]) -> None:
    row = st.selectbox("Pool", mine, format_func=lambda each: f"{each.name}, {pool_where(each)}", key="removed_pool")
    if row is None:
        return
    st.write(f"Specs that name {row.name} wait for nothing then, or for the org's pool of that name.")
    if st.button("Remove", type="primary", key="do_remove_pool"):
        with refused():
            remove_pool(row)
            done(f"Pool {row.name} is removed.")


def prices() -> None:
    """What a unit costs, did and will."""
    with asking() as connection:
        rows, places = Limits(connection).prices(), Access(connection).administered()
    st.html(render("prices", lines=price_lines(rows, datetime.now(UTC))))
    orgs = [each.org for each in places if each.project is None]
    why = None if orgs else "Prices are the org's: they are set by the admins of a whole org."
    if st.button("Set a price…", key="set_price", disabled=not orgs, help=why):
        ask_price(orgs, {row.org: row.currency for row in rows})
    if why:
        st.caption(why)


@st.dialog("Set a price")
def ask_price(orgs: Sequence[str], currencies: dict[str, str]) -> None:
    org = st.selectbox("Org", orgs, key="price_org") or orgs[0]
    unit = st.selectbox("Of", list(PRICED), format_func=PRICED.__getitem__, key="price_unit") or "cpu_second"
    text = st.text_input("Price", key="price_amount", placeholder="such as 0.00002")
    currency = st.text_input("Currency", currencies.get(org, ""), max_chars=3, key=f"currency_{org}", placeholder="EUR")
    st.caption("It holds from now on; what was used before keeps its price. All prices of an org are in one currency.")
    if st.button("Set", type="primary", key="do_set_price"):
        with refused():
            set_price(org, unit, decimal_of(text, "the price"), currency.strip().upper())
            done(f"{PRICED[unit].capitalize()} costs {text} {currency.strip().upper()} in {org} from now on.")
