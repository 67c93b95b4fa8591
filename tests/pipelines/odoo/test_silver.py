"""Silver: one row per key, the last that bronze heard of, in the contract's types."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import psycopg
import pytest

from ops.errors import BadInput, SchemaDrift
from pipelines.contract import Table
from pipelines.odoo import silver
from tests.pipelines.odoo.conftest import Frames, bronze_of, silver_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def bronze(name: str, *rows: dict[str, object]) -> pl.LazyFrame:
    """Rows of a contracted table, unnamed columns null, with lineage columns."""
    table = silver.contract().tables[name]
    schema = {column: silver.polars_type(spec.type) for column, spec in table.columns.items()}
    lineage: dict[str, pl.DataType] = {
        "_op": pl.String(),
        "_source_lsn": pl.Int64(),
        "_ingested_at": pl.Datetime("us", "UTC"),
    }
    defaults: dict[str, object] = {"_op": "r", "_source_lsn": 1, "_ingested_at": NOON}
    return pl.LazyFrame([defaults | row for row in rows], schema=schema | lineage)


def drifting(monkeypatch: pytest.MonkeyPatch, name: str, drift: str) -> None:
    """Gives one table of the contract another answer to drift."""
    contract = silver.contract()
    table: Table = contract.tables[name].model_copy(update={"drift": drift})
    changed = contract.model_copy(update={"tables": {**contract.tables, name: table}})
    monkeypatch.setattr(silver, "contract", lambda: changed)


def test_the_row_with_the_highest_position_wins_whatever_the_order_of_arrival() -> None:
    rows: list[dict[str, object]] = [
        {"id": 1, "code": "US", "_source_lsn": 5, "_op": "u"},
        {"id": 1, "code": "OLD", "_source_lsn": 1},
        {"id": 2, "code": "DE"},
        {"id": 1, "code": "LATE", "_source_lsn": 3, "_op": "u"},
    ]
    for order in (rows, rows[::-1]):
        frame = silver.current(bronze("res_country", *order), "res_country").sort("id").collect()
        assert frame["code"].to_list() == ["US", "DE"]


def test_a_deleted_key_is_gone_and_comes_back_when_written_again() -> None:
    gone: list[dict[str, object]] = [
        {"id": 1, "code": "US"},
        {"id": 1, "_op": "d", "_source_lsn": 2},
        {"id": 2, "code": "DE"},
    ]
    assert silver.current(bronze("res_country", *gone), "res_country").collect()["id"].to_list() == [2]
    back = [*gone, {"id": 1, "code": "US", "_op": "u", "_source_lsn": 3}]
    assert sorted(silver.current(bronze("res_country", *back), "res_country").collect()["id"].to_list()) == [1, 2]


def test_a_composite_key_is_a_key() -> None:
    name = "sale_order_line_invoice_rel"
    rows: list[dict[str, object]] = [
        {"invoice_line_id": 1, "order_line_id": 1},
        {"invoice_line_id": 1, "order_line_id": 2},
        {"invoice_line_id": 1, "order_line_id": 1, "_op": "d", "_source_lsn": 2},
    ]
    assert silver.current(bronze(name, *rows), name).collect().rows() == [(1, 2)]


def test_translations_become_the_text_of_one_language() -> None:
    rows = bronze(
        "res_country",
        {"id": 1, "name": '{"en_US": "Germany", "fr_FR": "Allemagne"}'},
        {"id": 2, "name": '{"fr_FR": "Le \\"Pays\\""}'},
        {"id": 3},
    )
    assert silver.current(rows, "res_country").sort("id").collect()["name"].to_list() == ["Germany", 'Le "Pays"', None]
    assert silver.current(rows, "res_country", "fr_FR").sort("id").collect()["name"][0] == "Allemagne"


def test_company_dependent_values_become_one_row_a_company() -> None:
    rows = bronze(
        "res_partner",
        {
            "id": 1,
            "credit_limit": '{"1": 500.5, "2": 0.1}',
            "trust": '{"2": "go\\"od, {3\\": x}"}',
            "barcode": '{"1": false}',
        },
        {"id": 2, "credit_limit": '{"3": null}'},
        {"id": 3, "credit_limit": "{}"},
    )
    frame = silver.by_company(rows, "res_partner").sort("id", "company_id").collect()
    assert frame.select("id", "company_id", "credit_limit", "trust", "barcode").rows() == [
        (1, 1, Decimal("500.5"), None, None),
        (1, 2, Decimal("0.1"), 'go"od, {3": x}', None),
    ]
    assert frame.schema["credit_limit"] == pl.Decimal(18, 4)
    assert "credit_limit" not in silver.current(rows, "res_partner").collect_schema()
    with pytest.raises(BadInput, match="no company-dependent column"):
        silver.by_company(rows, "res_country")


def test_money_is_decimal_and_times_are_utc_even_if_bronze_kept_text() -> None:
    rows = bronze("res_currency_rate", {"id": 1}).with_columns(
        rate=pl.lit("0.0000379791234"),
        write_date=pl.lit(datetime(2026, 1, 1)),
        create_date=pl.lit("2026-01-01 10:00:00.5"),
    )
    row = silver.current(rows, "res_currency_rate").collect().row(0, named=True)
    assert row["rate"] == Decimal("0.000037979123")
    assert row["write_date"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert row["create_date"] == datetime(2026, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)


def test_a_frozen_table_refuses_drift_with_every_fault() -> None:
    rows = bronze("account_move", {"id": 1}).drop("state").with_columns(amount_total=pl.lit(True), name=pl.lit([1]))
    with pytest.raises(SchemaDrift) as refused:
        silver.current(rows, "account_move")
    assert all(column in refused.value.message for column in ("state", "amount_total", "name"))


def test_an_evolving_table_nulls_what_is_missing_and_passes_on_what_is_new() -> None:
    rows = bronze("project_task", {"id": 1, "name": "x"}).drop("priority").with_columns(x_new=pl.lit(7))
    row = silver.current(rows, "project_task").collect().row(0, named=True)
    assert (row["priority"], row["x_new"], row["name"]) == (None, 7, "x")
    assert not [name for name in row if name.startswith("_")]


def test_a_value_or_a_row_that_does_not_fit_is_discarded_where_the_contract_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = bronze("hr_employee", {"id": 1}, {"id": 2}).with_columns(hourly_cost=pl.Series(["12.5", "much"]))
    value = silver.current(rows, "hr_employee").sort("id").collect()
    assert value["hourly_cost"].to_list() == [Decimal("12.5"), None]
    drifting(monkeypatch, "hr_employee", "discard_row")
    assert silver.current(rows, "hr_employee").collect()["id"].to_list() == [1]
    drifting(monkeypatch, "hr_employee", "freeze")
    with pytest.raises(pl.exceptions.PolarsError):
        silver.current(rows, "hr_employee").collect()


def test_a_lost_key_is_refused_under_any_drift() -> None:
    with pytest.raises(SchemaDrift, match="column id is missing"):
        silver.current(bronze("project_task", {"id": 1}).drop("id"), "project_task").collect()


def test_silver_has_the_source_rows_in_the_contract_types(source_url: str, silver_frames: Frames) -> None:
    with psycopg.connect(source_url) as connection:
        for name, table in silver.contract().tables.items():
            frame = silver_frames[f"silver.{name}"]
            count = connection.execute(f"select count(*) from {name}".encode()).fetchone()
            assert count == (frame.height,), name
            expected = {
                column: pl.String() if spec.meaning == "translations" else silver.polars_type(spec.type)
                for column, spec in table.columns.items()
                if spec.meaning != "company_dependent"
            }
            assert dict(frame.schema) == expected, name


def test_company_values_are_those_of_the_source(source_url: str, silver_frames: Frames) -> None:
    values = "jsonb_each_text(p.standard_price) e"
    query = f"select p.id, e.key::int, round(e.value::numeric, 6) from product_product p, {values}"
    with psycopg.connect(source_url) as connection:
        expected = sorted(connection.execute(query.encode()).fetchall())
    assert expected
    assert sorted(silver_frames["silver.product_product_company"].rows()) == expected


def test_a_day_of_changes_on_top_of_bronze_gives_the_silver_of_that_day(group_database: str) -> None:
    from pipelines.odoo.generator import mutate

    before = bronze_of(group_database)
    mutate(group_database, 1)
    after = bronze_of(group_database)
    expected = silver_of(after)
    for name, table in silver.contract().tables.items():
        key = list(table.key)
        gone = before[name].select(key).join(after[name].select(key), on=key, how="anti")
        deletes = gone.with_columns(_op=pl.lit("d"), _source_lsn=pl.lit(2, pl.Int64), _ingested_at=pl.lit(NOON))
        changes = after[name].with_columns(_op=pl.lit("u"), _source_lsn=pl.lit(2, pl.Int64))
        log = pl.concat([changes, before[name], deletes], how="diagonal")
        found = silver.current(log, name).sort(key).collect(engine="streaming")
        assert found.equals(expected[f"silver.{name}"].sort(key)), name
