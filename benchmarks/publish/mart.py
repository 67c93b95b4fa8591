"""A frame like a wide mart: keys, dates, texts, money."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

SEED = 7
AMOUNTS = ("debit", "credit", "balance", "residual")


def mart(rows: int) -> pl.DataFrame:
    """Twelve columns, of which four are money."""
    number = pl.col("id")
    begin = pl.lit(datetime(2020, 1, 1, tzinfo=UTC))
    return (
        pl.select(id=pl.int_range(rows))
        .with_columns(
            company_id=(number % 7).cast(pl.Int32),
            partner=pl.format("Partner {}", number.hash(SEED) % 50_000),
            account=(100_000 + number % 800).cast(pl.String),
            posted_at=begin + pl.duration(minutes=number % 3_000_000),
            quantity=(number % 97).cast(pl.Float64),
            is_open=number % 3 == 0,
            **{
                name: ((number.hash(SEED + at) % 10_000_000).cast(pl.Int64) / 100).cast(pl.Decimal(18, 2))
                for at, name in enumerate(AMOUNTS)
            },
        )
        .with_columns(day=pl.col("posted_at").dt.date())
    )
