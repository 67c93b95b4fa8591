"""Who asks, then navigation, and nothing else. Streamlit runs this file top to bottom for every rerun."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.components.gate import admit, wait_for_database
from dashboard.components.render import stylesheet
from ops.errors import DatabaseUnavailable

PAGES = Path(__file__).parent / "app_pages"

st.set_page_config(page_title="Control Room", layout="wide")
st.html(stylesheet())
NAVIGATION = [
    st.Page(PAGES / "home.py", title="Home", url_path="home"),
    st.Page(PAGES / "runs.py", title="Runs", default=True),
    st.Page(PAGES / "pipelines.py", title="Pipelines", url_path="pipelines"),
    st.Page(PAGES / "data.py", title="Data", url_path="data"),
    st.Page(PAGES / "sql.py", title="SQL", url_path="sql"),
    st.Page(PAGES / "fleet.py", title="Fleet", url_path="fleet"),
    st.Page(PAGES / "alerts.py", title="Alerts", url_path="alerts"),
    st.Page(PAGES / "scores.py", title="Scores", url_path="scores"),
    st.Page(PAGES / "caps.py", title="Caps", url_path="caps"),
    st.Page(PAGES / "coverage.py", title="Coverage", url_path="coverage"),
    st.Page(PAGES / "settings.py", title="Settings", url_path="settings"),
    st.Page(PAGES / "trigger.py", title="Start a run", url_path="trigger"),
    st.Page(PAGES / "run.py", title="Run", url_path="run", visibility="hidden"),
    st.Page(PAGES / "pipeline.py", title="Pipeline", url_path="pipeline", visibility="hidden"),
    st.Page(PAGES / "dataset.py", title="Table", url_path="dataset", visibility="hidden"),
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
