"""Charts: functions from a frame to an Altair chart. Colours are the theme's, but for what was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from ops.dataset_reads import WrittenVersion
from ops.model import RunId
from ops.pipeline_reads import ScoredRun
from ops.scores import SignalValue

HEIGHT = 180
# The tone of what is bad, in both themes; how much is told by how strong it is.
LOST = "#d64545"
MOMENT = pl.Datetime("us", "UTC")


def _frame(rows: Sequence[tuple[object, ...]], columns: Mapping[str, type[pl.DataType] | pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=pl.Schema(columns), orient="row")


def version_frame(versions: Sequence[WrittenVersion]) -> pl.DataFrame:
    """One row a version, oldest first: when, version, rows in the table, rows of the commit."""
    rows = [(each.recorded_at, each.version, each.total_rows, each.rows) for each in reversed(versions)]
    return _frame(rows, {"at": MOMENT, "version": pl.Int64, "rows": pl.Int64, "committed": pl.Int64})


def rows_over_time(frame: pl.DataFrame) -> alt.Chart:
    """Rows in a table after each of its versions: what is there stays until the next one, so the line has steps."""
    drawn: alt.Chart = (
        alt.Chart(frame, height=HEIGHT, description="rows in the table after each version")
        .mark_line(interpolate="step-after", point=True)
        .encode(
            x=alt.X("at:T", title=None),
            y=alt.Y("rows:Q", title="rows", scale=alt.Scale(zero=True), axis=alt.Axis(tickMinStep=1, format="~s")),
            tooltip=[
                alt.Tooltip("version:Q", title="version"),
                alt.Tooltip("rows:Q", title="rows", format=","),
                alt.Tooltip("committed:Q", title="in the commit", format=","),
                alt.Tooltip("at:T", title="written", format="%Y-%m-%d %H:%M:%S"),
            ],
        )
    )
    return drawn


def score_frame(runs: Sequence[ScoredRun]) -> pl.DataFrame:
    """One row a run, oldest first: number, when, environment, score and its sentence."""
    rows = [
        (number, each.created_at, each.env, each.score, each.sentence) for number, each in enumerate(reversed(runs), 1)
    ]
    return _frame(
        rows, {"number": pl.Int64, "at": MOMENT, "env": pl.String, "score": pl.Float64, "sentence": pl.String}
    )


def lost_frame(runs: Sequence[ScoredRun]) -> pl.DataFrame:
    """One row a run and signal: which share of the signal's points was lost."""
    rows = [
        (number, each.created_at, str(part["signal"]), _lost(part), float(part["value"]))
        for number, each in enumerate(reversed(runs), 1)
        for part in each.breakdown
    ]
    return _frame(
        rows, {"number": pl.Int64, "at": MOMENT, "signal": pl.String, "lost": pl.Float64, "value": pl.Float64}
    )


def _lost(part: Mapping[str, Any]) -> float:
    possible = float(part["possible"])
    return round(1 - float(part["points"]) / possible, 4) if possible else 0.0


def score_trend(frame: pl.DataFrame) -> alt.Chart:
    """Scores of a pipeline's runs, one after another; each environment has a line of its own."""
    score = alt.Y("score:Q", title="score", scale=alt.Scale(domain=[0, 100]))
    told = [alt.Tooltip("score:Q", format=".1f"), alt.Tooltip("sentence:N")]
    return _over_runs(frame, "score of each run", score, told, "created")


def _over_runs(frame: pl.DataFrame, what: str, y: alt.Y, told: list[alt.Tooltip], when: str) -> alt.Chart:
    drawn: alt.Chart = (
        alt.Chart(frame, height=HEIGHT, description=f"{what}, the newest on the right")
        .mark_line(point=True)
        .encode(
            x=alt.X("number:Q", title="run", axis=alt.Axis(tickMinStep=1, format="d")),
            y=y,
            strokeDash=_of_env(frame),
            tooltip=[
                *told,
                alt.Tooltip("env:N", title="environment"),
                alt.Tooltip("at:T", title=when, format="%Y-%m-%d %H:%M:%S"),
            ],
        )
    )
    return drawn


def _of_env(frame: pl.DataFrame) -> alt.StrokeDash:
    """A line for each environment, told by its dashes; of one alone nothing is told."""
    told = frame["env"].n_unique() > 1
    return alt.StrokeDash("env:N", title=None, legend=alt.Legend(orient="top") if told else None)


def signal_frame(runs: Sequence[ScoredRun], values: Mapping[RunId, SignalValue]) -> pl.DataFrame:
    """One row a run that has the signal, oldest first: the run's number among all, when, environment, value, and in words."""
    rows = [
        (number, each.created_at, each.env, values[each.run_id].value, values[each.run_id].said)
        for number, each in enumerate(reversed(runs), 1)
        if each.run_id in values
    ]
    return _frame(rows, {"number": pl.Int64, "at": MOMENT, "env": pl.String, "value": pl.Float64, "said": pl.String})


def signal_trend(frame: pl.DataFrame, signal: str) -> alt.Chart:
    """A signal's values in a pipeline's runs, numbered as those of the score."""
    value = alt.Y("value:Q", title=signal, axis=alt.Axis(format="~g"))
    told = [alt.Tooltip("value:Q", format="~g"), alt.Tooltip("said:N")]
    return _over_runs(frame, f"{signal} in each run", value, told, "run created")


def lost_points(frame: pl.DataFrame) -> alt.Chart:
    """Signals by runs: the stronger the colour, the more of the signal's points were lost."""
    drawn: alt.Chart = (
        alt.Chart(frame, description="share of points that each signal lost in each run")
        .mark_rect(color=LOST)
        .encode(
            x=alt.X("number:O", title="run", axis=alt.Axis(labelOverlap=True, labelAngle=0)),
            y=alt.Y("signal:N", title=None),
            opacity=alt.Opacity("lost:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 1]), legend=None),
            tooltip=[
                alt.Tooltip("signal:N"),
                alt.Tooltip("lost:Q", title="lost", format=".0%"),
                alt.Tooltip("value:Q", title="value", format="~g"),
                alt.Tooltip("at:T", title="run created", format="%Y-%m-%d %H:%M:%S"),
            ],
        )
    )
    return drawn
