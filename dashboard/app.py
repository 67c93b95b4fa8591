"""Who asks, then navigation, and nothing else. Streamlit runs this file top to bottom for every rerun."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.components.gate import admit, take_zone, wait_for_database
from dashboard.components.render import stylesheet
from dashboard.navigation import PLACES
from ops.errors import DatabaseUnavailable

PAGES = Path(__file__).parent / "app_pages"

st.set_page_config(page_title="Control Room", layout="wide")
st.html(stylesheet())
take_zone()
NAVIGATION = [
    st.Page(
        PAGES / place.file,
        title=place.title,
        url_path=place.address,
        default=not place.address,
        visibility="visible" if place.linked else "hidden",
    )
    for place in PLACES
]
try:
    admitted = admit()
except DatabaseUnavailable as error:
    # Unseen, but so that the address is still this page's when Postgres is back.
    st.navigation(NAVIGATION, position="hidden")
    wait_for_database(error)
    st.stop()
if not admitted:
    st.stop()
try:
    st.navigation(NAVIGATION, position="top").run()
except DatabaseUnavailable as error:
    wait_for_database(error)
