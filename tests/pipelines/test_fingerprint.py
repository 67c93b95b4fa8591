"""Equal content, equal fingerprint; one cell of difference, another fingerprint."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.fingerprint import Fingerprinter, combined, fingerprint

DAY = datetime(2020, 1, 1)
SCHEMA = pl.Schema(
    {
        "id": pl.Int64(),
        "amount": pl.Decimal(38, 4),
        "rate": pl.Float64(),
        "name": pl.String(),
        "at": pl.Datetime("us", "UTC"),
        "day": pl.Date(),
        "posted": pl.Boolean(),
        "blob": pl.Binary(),
    }
)
CELLS: dict[str, st.SearchStrategy[object]] = {
    "amount": st.none() | st.decimals(-(10**20), 10**20, places=4, allow_nan=False),
    "rate": st.none() | st.floats(allow_nan=True),
    "name": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.just("x" * 257),
    "at": st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    "day": st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    "posted": st.none() | st.booleans(),
    "blob": st.none() | st.binary(max_size=20),
}
FRAMES = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=20).map(
    lambda rows: pl.DataFrame([{"id": number, **row} for number, row in enumerate(rows)], schema=SCHEMA)
)


def in_batches(frame: pl.DataFrame, size: int) -> str:
    counted = Fingerprinter(frame.schema, ["id"])
    for part in frame.iter_slices(size):
        counted.update(part)
    return counted.digest().root


@settings(max_examples=60, deadline=None)
@given(FRAMES, st.randoms(use_true_random=False), st.integers(1, 7))
def test_order_and_batches_do_not_matter(frame: pl.DataFrame, random: object, size: int) -> None:
    shuffled = frame.sample(fraction=1, shuffle=True, seed=size).select(reversed(frame.columns))
    assert in_batches(shuffled, size) == in_batches(frame, 1000)


@settings(max_examples=60, deadline=None)
@given(FRAMES, st.data())
def test_a_changed_cell_shows_and_its_column_is_named(frame: pl.DataFrame, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(CELLS)))
    row = data.draw(st.integers(0, frame.height - 1))
    value = pl.Series([data.draw(CELLS[column])], dtype=SCHEMA[column])
    changed = frame.with_columns(pl.when(pl.col("id") == row).then(value).otherwise(pl.col(column)).alias(column))
    before, after = fingerprint(frame, ["id"]), fingerprint(changed, ["id"])
    if frame.equals(changed):
        assert before == after
    else:
        assert before.root != after.root
        assert [name for name in before.columns if before.columns[name] != after.columns[name]] == [column]


@pytest.mark.parametrize("key", [(), ("id",)])
def test_values_that_change_places_show(key: tuple[str, ...]) -> None:
    frame = pl.DataFrame({"id": [1, 2], "a": ["x", "y"], "b": ["p", "q"]})
    swapped = frame.with_columns(pl.Series("a", ["y", "x"]))
    assert fingerprint(frame, key).root != fingerprint(swapped, key).root


def test_a_doubled_row_shows() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3]})
    roots = {fingerprint(pl.concat([frame] * times)).root for times in (1, 2, 3)}
    assert len(roots) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pl.Series([0.0]), pl.Series([-0.0])),
        (pl.Series([math.nan]), pl.Series([-math.nan])),
        (pl.Series([DAY]).cast(pl.Datetime("ms")), pl.Series([DAY], dtype=pl.Datetime("us", "UTC"))),
    ],
)  # fmt: skip
def test_two_ways_to_write_one_value_are_one(one: pl.Series, other: pl.Series) -> None:
    assert fingerprint(one.to_frame("a")) == fingerprint(other.to_frame("a"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pl.Series([None], dtype=pl.Float64), pl.Series([math.nan])),
        (pl.Series([None], dtype=pl.String), pl.Series([""])),
        (pl.Series(["a\0"]), pl.Series(["a"])),
        (pl.Series(["12345678"]), pl.Series(["12345678\0"])),
        (pl.Series([1], dtype=pl.Int32), pl.Series([1], dtype=pl.Int64)),
        (pl.Series([Decimal("1.0")], dtype=pl.Decimal(18, 1)), pl.Series([Decimal("1.0")], dtype=pl.Decimal(18, 2))),
        (pl.Series([[1], None]), pl.Series([[], [1]], dtype=pl.List(pl.Int64))),
    ],
)
def test_values_that_look_alike_are_different(one: pl.Series, other: pl.Series) -> None:
    assert fingerprint(one.to_frame("a")).root != fingerprint(other.to_frame("a")).root


def test_lineage_columns_are_left_out() -> None:
    frame = pl.DataFrame({"a": [1], "_run_id": ["x"]})
    assert fingerprint(frame) == fingerprint(frame.drop("_run_id"))


def test_parts_of_several_threads_add_up() -> None:
    frame = pl.DataFrame({"id": range(1000), "s": [str(n) for n in range(1000)]})
    parts = [Fingerprinter(frame.schema), Fingerprinter(frame.schema)]
    for number, batch in enumerate(frame.iter_slices(100)):
        parts[number % 2].update(batch)
    parts[0].merge(parts[1])
    assert parts[0].digest() == fingerprint(frame)


def test_known_answers_hold_the_stored_format() -> None:
    """A failure here means that stored fingerprints no longer compare: make a version 2, never edit the answers."""
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "amount": [Decimal("1.5000"), None, Decimal("-2.2500")],
            "rate": [0.1, math.nan, None],
            "name": ["Müller & Söhne GmbH", "", "y" * 300],
            "at": [datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=UTC), None, datetime(1969, 12, 31, tzinfo=UTC)],
            "day": [date(2024, 2, 29), date(1900, 1, 1), None],
            "posted": [True, False, None],
            "blob": [b"\x00\xff", None, b""],
        },
        schema=SCHEMA,
    )
    assert (
        fingerprint(frame, ["id"]).root == "v1:blake3:114338bd002cfab26d4c97679fad646a1a36d805a80cea0feae4e493e0b321f8"
    )
    assert (
        fingerprint(pl.DataFrame({"l": [[1, None], []], "s": [{"a": "x"}, None]})).root
        == "v1:blake3:f377be308e4c302a12e36dbd73a0d03f6db3942391beafd2c26667302674d24e"
    )
    assert (
        fingerprint(frame.clear()).root == "v1:blake3:ad224ee939c904d4487b347fbdb997253825bf2ce983f3eaeeaccadec2701f68"
    )
    assert (
        combined({"a": fingerprint(frame).root})
        == "v1:blake3:928cdc42ff20b4226beeb96b2ec9b0043a9485a51476c7340623b3437a7d8a67"
    )


def test_the_root_is_that_of_the_rows_whatever_the_key() -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "name": ["a", "b", "b"]})
    assert fingerprint(frame, ["id"]).root == fingerprint(frame).root == fingerprint(frame, ["name"]).root
    assert fingerprint(frame, ["id"]).columns != fingerprint(frame).columns
