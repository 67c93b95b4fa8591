"""SQL: ask the lake's tables, follow the question, look at the answer, find what was asked before."""

from __future__ import annotations

import streamlit as st

from dashboard.components.render import section
from dashboard.components.said import tell
from dashboard.data.source import asking
from dashboard.sql_parts.answer import ended, standing
from dashboard.sql_parts.editor import editor, place, tables
from dashboard.sql_parts.history import history, saved
from dashboard.views.queries import run_named
from ops.query_reads import QueryPage

st.title("SQL")
run_id = run_named(st.query_params.get("run"))
question = None
if run_id is not None:
    with asking() as connection:
        question = QueryPage(connection).question(run_id)
scope = place(question)
if scope is None:
    st.info("You belong to no project whose tables could be asked. Ask an admin of one.")
    st.stop()
tell()
left, right = st.columns([1, 3])
with left:
    known = tables(scope)
with right:
    editor(scope, known)
    if question is not None:
        if question.status.terminal:
            ended(question)
        else:
            standing(question.run_id)
st.html(section("Saved answers"))
saved(scope)
st.html(section("History"))
history(scope)
