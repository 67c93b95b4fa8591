"""How a question stands, followed until it has ended, and its answer: rows, chart, plan, downloads, a name for it."""

from __future__ import annotations

import io

import polars as pl
import streamlit as st

from dashboard.actions.queries import cancel, save
from dashboard.components.gate import refreshed
from dashboard.components.render import render
from dashboard.components.said import done, refused
from dashboard.data.links import Named, link
from dashboard.data.source import artifact_store, asking, link_key, person, reads
from dashboard.views.answers import KINDS, PAGE, READ, Drawing, axes, chart, csv_of, page, proposed
from dashboard.views.queries import kept_back, masked_words, sources, verdict
from ops.errors import ControlRoomError
from ops.limits import Limits
from ops.model import RunId, RunStatus
from ops.query_reads import AskedQuestion, QueryPage
from ops.views import ArtifactRow

LOOK_SECONDS = 0.5
# A larger answer is downloaded and not looked at.
LARGEST = 64 * 1024 * 1024


@refreshed(LOOK_SECONDS)
def standing(run_id: RunId) -> None:
    """While it waits or runs; the page is drawn whole when it has ended."""
    with asking() as connection:
        question = QueryPage(connection).question(run_id)
        waits = Limits(connection).why_waiting(run_id) if question.status is RunStatus.QUEUED else None
    if question.status.terminal:
        st.rerun()
    told(question, waits.said if waits else "")
    if st.button("Cancel", key="cancel_question"):
        with refused():
            cancel(run_id)


def told(question: AskedQuestion, waits: str = "") -> None:
    st.html(render("question", question=question, verdict=verdict(question, waits), sources=sources(question)))


def ended(question: AskedQuestion) -> None:
    """What it came to."""
    told(question)
    if said := masked_words(question.masked):
        st.caption(said)
    if question.status is not RunStatus.SUCCEEDED:
        return
    who = person()
    artifacts = {row.kind: row for row in reads(who).artifacts(question.run_id) if row.phase == "query"}
    if "result" not in artifacts:
        st.info(kept_back(question))
        return
    result = artifacts["result"]
    frame = rows_of(result)
    if frame is not None:
        rows(frame, question.rows or 0)
        drawn(frame)
    else:
        st.caption("The answer is too large to be looked at here.")
    if plan := plan_of(artifacts.get("plan")):
        with st.expander("Plan"):
            st.code(plan, None)
    kept(question, result, frame, who.subject)


def plan_of(row: ArtifactRow | None) -> str:
    """How the engine carried the question out; nothing where that was not kept."""
    if row is None:
        return ""
    try:
        return artifact_store().read(row.uri).decode(errors="replace")
    except ControlRoomError:
        return ""


def rows_of(row: ArtifactRow) -> pl.DataFrame | None:
    """The first rows of an answer that the person at the page may see; None of one that is too large."""
    return None if row.byte_size > LARGEST else _first_rows(row.uri, row.sha256)


@st.cache_resource(max_entries=20, show_spinner=False)
def _first_rows(uri: str, sha256: str) -> pl.DataFrame:
    """Of bytes that never change; who may see them was asked before."""
    store = artifact_store()
    store.verify(uri, sha256)
    return pl.read_parquet(io.BytesIO(store.read(uri)), n_rows=READ)


@refreshed(None)
def rows(frame: pl.DataFrame, whole: int) -> None:
    first = min(st.session_state.get("answer_first", 0), max(frame.height - 1, 0) // PAGE * PAGE)
    shown = page(frame, first, whole)
    st.html(render("answer", page=shown))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(shown.said, width="content")
        if first and st.button("Rows before", key="answer_before"):
            st.session_state["answer_first"] = first - PAGE
            st.rerun(scope="fragment")
        if first + PAGE < frame.height and st.button("More rows", key="answer_more"):
            st.session_state["answer_first"] = first + PAGE
            st.rerun(scope="fragment")


@refreshed(None)
def drawn(frame: pl.DataFrame) -> None:
    """A chart of what can be looked at, as it is chosen."""
    first = proposed(frame)
    if first is None or not st.toggle("Chart", key="chart"):
        return
    xs, ys = axes(frame)
    kinds, x_of, y_of, colours = st.columns(4)
    kind = kinds.selectbox("Kind", list(KINDS), list(KINDS).index(first.kind), key="chart_kind") or first.kind
    x = x_of.selectbox("x", xs, xs.index(first.x), key="chart_x") or first.x
    y = y_of.selectbox("y", ys, ys.index(first.y), key="chart_y") or first.y
    colour = colours.selectbox("Colour", xs, None, key="chart_colour", placeholder="one colour")
    st.altair_chart(chart(frame, Drawing(kind, x, y, colour)))


def kept(question: AskedQuestion, result: ArtifactRow, frame: pl.DataFrame | None, subject: str) -> None:
    """Downloads, and a name for the answer."""
    address = link(link_key(), Named(question.run_id, result.artifact_id, result.sha256), subject)
    st.html(render("answer_link", link=address, size=result.byte_size))
    with st.container(horizontal=True):
        if frame is not None:
            some = "" if frame.height >= (question.rows or 0) else f", the first {frame.height:,} rows"
            st.download_button(f"CSV{some}", lambda: csv_of(frame), f"{question.run_id}.csv", "text/csv", key="csv")
        if st.button("Save…", key="save_answer"):
            ask_name(question.run_id)


@st.dialog("Save the answer")
def ask_name(run_id: RunId) -> None:
    st.write("It is kept as an artifact of its run under a name, for all who may see it.")
    name = st.text_input("Name", key="answer_name", placeholder="such as revenue by month")
    if st.button("Save", type="primary", key="do_save_answer"):
        with refused():
            save(run_id, name.strip())
            done(f"Saved as {name.strip()}.parquet.")
