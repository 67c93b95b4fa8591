"""Caps: what is used of each limit, when it will be used up, and which runs wait or ended because of one; pools and prices."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.cap_parts.caps import edit_caps
from dashboard.cap_parts.pools import pools, prices
from dashboard.components.gate import refreshed
from dashboard.components.parts import show
from dashboard.components.render import render, section
from dashboard.data.shared import shared
from dashboard.views.caps import cap_lines, held_words, holding
from ops.cap_reads import Caps
from ops.database import Connection

# So many caps that hold runs up, or ended some, are told of with them; the table has all caps.
TOLD = 10


def look(connection: Connection) -> str:
    """The table, and below it the runs that caps hold up or have ended: as they are drawn."""
    reading = Caps(connection)
    rows = reading.standing()
    held = [(cap, reading.waiting(cap) if cap.unit == "runs" else reading.refused(cap)) for cap in holding(rows)[:TOLD]]
    now = datetime.now(UTC)
    drawn = render("caps", lines=cap_lines(rows))
    if held:
        drawn += section("Held up")
    for cap, runs in held:
        drawn += section(held_words(cap), render("held_up", rows=runs, now=now, label=cap.key), level=3)
    return drawn


@refreshed(5)
def table() -> None:
    st.html(shared("caps", None, look))


def caps() -> None:
    table()
    edit_caps()
    st.caption(
        "Counted is what everybody uses for whom a cap holds. A run that a cap on runs has no room for waits; a cap on what "
        "runs move lets no further phase begin. A forecast is a straight line from the beginning of the window, in UTC."
    )


PARTS = {"Caps": caps, "Pools": pools, "Prices": prices}

st.title("Caps")
show(PARTS)
