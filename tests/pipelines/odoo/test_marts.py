"""Each gold mart equals plain SQL on the source itself, for our generator's data and for the real Odoo 19."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
import pytest

SQL = Path(__file__).parent / "sql"
MARTS = sorted(file.stem for file in SQL.glob("*.sql"))
Frames = dict[str, pl.DataFrame]


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_says_what_plain_sql_on_the_source_says(mart: str, source_url: str, gold_frames: Frames) -> None:
    with psycopg.connect(source_url) as connection:
        cursor = connection.execute((SQL / f"{mart}.sql").read_text())
        assert cursor.description is not None
        columns = [column.name for column in cursor.description]
        expected = sorted(cursor.fetchall(), key=repr_of_row)
    frame = gold_frames[f"gold.{mart}"]
    assert sorted(frame.columns) == sorted(columns)
    assert expected, "a mart without rows proves nothing"
    assert sorted(frame.select(columns).rows(), key=repr_of_row) == expected


def repr_of_row(row: tuple[object, ...]) -> str:
    # Keys are whole numbers, texts and dates; amounts of different scale print differently and must not decide.
    return repr([value for value in row if isinstance(value, int | str) or hasattr(value, "year")])


def test_every_mart_is_compared(gold_frames: Frames) -> None:
    assert sorted(name.removeprefix("gold.") for name in gold_frames) == MARTS


def test_debits_equal_credits(gold_frames: Frames) -> None:
    ledger = gold_frames["gold.general_ledger_balance"]
    assert ledger["debit"].sum() == ledger["credit"].sum() > 0
    assert (
        ledger.group_by("company_id").agg(pl.col("balance").sum())["balance"].to_list().count(0)
        == ledger["company_id"].n_unique()
    )


def test_what_is_open_is_what_the_ledger_says(gold_frames: Frames) -> None:
    ledger = gold_frames["gold.general_ledger_balance"]
    for mart, kind in (("receivables_ageing", "asset_receivable"), ("payables_ageing", "liability_payable")):
        ageing = gold_frames[f"gold.{mart}"]
        assert ageing["total"].sum() == ledger.filter(pl.col("account_type") == kind)["balance"].sum()
        buckets = ageing.select(pl.sum_horizontal("^(not_due|overdue_.*)$")).to_series()
        assert buckets.to_list() == ageing["total"].to_list()


def test_stock_on_hand_is_what_odoo_keeps_as_quants(silver_frames: Frames, gold_frames: Frames) -> None:
    stock = gold_frames["gold.stock_on_hand"].filter(pl.col("usage") == "internal", pl.col("on_hand") != 0)
    quants = silver_frames["silver.stock_quant"].group_by("product_id", "location_id").agg(pl.col("quantity").sum())
    both = stock.join(quants, on=["product_id", "location_id"], how="left")
    assert both.height > 0
    assert both.filter(pl.col("quantity").is_null() | (pl.col("quantity") != pl.col("on_hand"))).is_empty()
