"""Caps: what is used of each limit, when it will be used up, and which runs wait or ended because of one."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.data.source import asking
from dashboard.views.caps import cap_lines, held_words
from ops.cap_reads import Caps

# So many caps that are used up are told of with their runs; the table has all of them.
TOLD = 10


@refreshed(5)
def caps() -> None:
    with asking() as connection:
        reading = Caps(connection)
        rows = reading.standing()
        full = [cap for cap in rows if cap.full][:TOLD]
        held = [(cap, reading.waiting(cap) if cap.unit == "runs" else reading.refused(cap)) for cap in full]
    st.html(render("caps", lines=cap_lines(rows)))
    if held:
        st.header("Held up")
    for cap, runs in held:
        st.subheader(held_words(cap))
        st.html(render("held_up", rows=runs, now=datetime.now(UTC), label=cap.key))


st.title("Caps")
caps()
st.caption(
    "Counted is what everybody uses for whom a cap holds. A run that a cap on runs has no room for waits; a cap on what runs "
    "move lets no further phase begin. A forecast is a straight line from the beginning of the window, in UTC."
)
