"""Scores: how good a pipeline's runs were, which signals cost them points, and what other weights would say."""

from __future__ import annotations

import streamlit as st

from dashboard.components.render import render, section
from dashboard.data.source import asking
from dashboard.views.charts import lost_frame, lost_points, score_frame, score_trend, signal_frame, signal_trend
from dashboard.views.scores import changed_weights, compared, gate_words, part_lines, run_label, weight_words
from ops.pipeline_reads import PipelineName, Pipelines, ScoredRun
from ops.scores import Scores

# Runs that are asked which signals there are: all runs of a pipeline have much the same.
NAMED = 20
# In the choice; further ones are found by their page's address.
PIPELINES = 500


def chosen() -> list[ScoredRun]:
    """The scored runs of the pipeline that is chosen, newest first."""
    with asking() as connection:
        names = [_named(row) for row in Pipelines(connection).names(PIPELINES)]
        if (
            "of" not in st.session_state
            and "of" not in st.query_params
            and (first := Pipelines(connection).first_scored())
        ):
            # Chosen as if by hand: the address says which, so that it means the same when other runs were scored.
            st.session_state["of"] = _named(first)
    name = st.selectbox("Pipeline", names, key="of", bind="query-params") if names else None
    if name is None:
        return []
    with asking() as connection:
        org, project, slug = name.split("/")
        detail = Pipelines(connection).one(org, project, slug)
        return Pipelines(connection).scored(detail.project_id, detail.slug)


def _named(row: PipelineName) -> str:
    return f"{row.org}/{row.project}/{row.slug}"


def trend(runs: list[ScoredRun]) -> None:
    st.html(render("score_head", run=runs[0], count=len(runs)) + section("Trend"))
    st.altair_chart(score_trend(score_frame(runs)))
    st.html(section("What cost points"))
    st.altair_chart(lost_points(lost_frame(runs)))
    one_signal(runs)


def one_signal(runs: list[ScoredRun]) -> None:
    """A signal over the same runs, once one is chosen: also one that costs no points."""
    ids = [run.run_id for run in runs]
    with asking() as connection:
        names = Scores(connection).signal_names(ids[:NAMED])
    signal = st.selectbox(
        "One signal over these runs", names, index=None, key="signal", bind="query-params", placeholder="choose one"
    )
    if signal is None:
        return
    with asking() as connection:
        values = Scores(connection).signal_values(ids, signal)
    st.altair_chart(signal_trend(signal_frame(runs, values), signal))


def what_if(runs: list[ScoredRun]) -> None:
    st.html(section("What if"))
    st.caption(
        "What other weights would have made of a run. Nothing is kept; `controlroom score weights set` changes them."
    )
    run = st.selectbox("Run", runs, format_func=run_label, key="judged") or runs[0]
    st.html(render("run_link", run_id=run.run_id))
    with asking() as connection:
        weights, now = Scores(connection).weights(), Scores(connection).of(run.run_id)
    columns = st.columns(4)
    given = {
        row.signal: columns[number % 4].number_input(
            row.signal, 0.0, 1000.0, row.weight, 5.0, key=f"weight_{row.signal}", help=row.description
        )
        for number, row in enumerate(weights)
    }
    with asking() as connection:
        then = Scores(connection).what_if(run.run_id, changed_weights(weights, given))
    st.html(render("what_if", said=compared(now, then), lines=part_lines(now, then)))


def rules() -> None:
    with asking() as connection:
        weights, gates = Scores(connection).weights(), Scores(connection).gates()
    weighed = render("weights", rows=[(row, weight_words(row)) for row in weights])
    passed = render("gates", rows=[(row, gate_words(row)) for row in gates])
    st.html(section("Weights", weighed) + section("Gates", passed))


st.title("Scores")
if runs := chosen():
    trend(runs)
    what_if(runs)
else:
    st.html(render("no_scores", pipeline=st.session_state.get("of", "")))
rules()
