"""Charts: functions from a frame to an Altair chart. Colours are the theme's."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from ops.dataset_reads import WrittenVersion

HEIGHT = 180


def version_frame(versions: Sequence[WrittenVersion]) -> pl.DataFrame:
    """One row a version, oldest first: when, version, rows in the table, rows of the commit."""
    rows = [(each.recorded_at, each.version, each.total_rows, each.rows) for each in reversed(versions)]
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        rows, schema={"at": moment, "version": pl.Int64, "rows": pl.Int64, "committed": pl.Int64}, orient="row"
    )


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
