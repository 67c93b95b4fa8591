"""Coverage: what Databricks has and we say that we have, each with the probe that proves it here."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard.components.render import render
from dashboard.data.source import asking
from dashboard.views.coverage import STALE, coverage_lines, coverage_tiles
from ops.watching import Watching

st.title("Coverage")
now = datetime.now(UTC)
with asking() as connection:
    rows = Watching(connection).capabilities()
st.html(render("tiles", tiles=coverage_tiles(rows, now)))
st.caption(
    f"A tick is earned by a probe on this installation within {STALE.days} days. The steward probes each night; "
    "`controlroom caps` does at once and prints the same as Markdown or JSON."
)
st.html(render("coverage", lines=coverage_lines(rows, now)))
