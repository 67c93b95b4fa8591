"""Which column came from which, against answers written by hand from the SQL of the reference marts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from pipelines.column_lineage import ColumnLineage, of_plan
from pipelines.column_sources import Source
from pipelines.frames import query
from pipelines.odoo import silver
from pipelines.spec import Pipeline, TransformPhase
from pipelines.spec_source import load
from tests.pipelines.lineage_answers import MARTS

MARTS_SPEC = Path(silver.__file__).parents[1] / "reference" / "silver_to_gold.yaml"
BY_COMPANY = {"account_account_company": "account_account", "product_product_company": "product_product"}


@pytest.fixture(scope="module")
def marts() -> Mapping[str, TransformPhase]:
    spec: Pipeline = load(MARTS_SPEC)
    return {each.name: each for each in spec.phases if isinstance(each, TransformPhase)}


def silver_schema(name: str) -> pl.Schema:
    """Of a silver table by the contract."""
    table = silver.table_spec(BY_COMPANY.get(name, name))
    if name in BY_COMPANY:
        key = {column: silver.polars_type(table.columns[column].type) for column in table.key}
        values = {
            column: silver.polars_type(spec.value or "text")
            for column, spec in table.columns.items()
            if spec.meaning == "company_dependent"
        }
        return pl.Schema({**key, "company_id": pl.Int32(), **values})
    return pl.Schema(
        {
            column: silver.polars_type("text" if spec.meaning == "translations" else spec.type)
            for column, spec in table.columns.items()
            if spec.meaning != "company_dependent"
        }
    )


def schema_of(table: str, marts: Mapping[str, TransformPhase]) -> pl.Schema:
    layer, name = table.split(".")
    if layer == "silver":
        return silver_schema(name)
    made = marts[name]
    frames = {alias: pl.LazyFrame(schema=schema_of(each, marts)) for alias, each in made.inputs.items()}
    return query(frames, made.sql or "", {}).collect_schema()


def of_mart(name: str, marts: Mapping[str, TransformPhase]) -> ColumnLineage:
    tables = {alias: (table, schema_of(table, marts)) for alias, table in marts[name].inputs.items()}
    return of_plan(tables, lambda frames: query(frames, marts[name].sql or "", {}))


def said(sources: tuple[Source, ...]) -> set[str]:
    return {f"{each.subtype} {each.table.removeprefix('silver.')}.{each.column}" for each in sources}


@pytest.mark.parametrize("name", MARTS)
def test_the_marts_columns_are_what_a_reader_of_the_sql_says(name: str, marts: Mapping[str, TransformPhase]) -> None:
    answer, found = MARTS[name], of_mart(name, marts)
    assert {column: said(sources) for column, sources in found.columns.items()} == answer["columns"]
    assert said(found.dataset) == answer["rows"]
    assert found.unknown == () and found.reason == ""


def test_every_mart_is_known_to_the_last_column(marts: Mapping[str, TransformPhase]) -> None:
    assert len(marts) == 9
    assert {name: of_mart(name, marts).unknown for name in marts} == dict.fromkeys(marts, ())


A = pl.Schema({"id": pl.Int64(), "x": pl.Int64(), "g": pl.String(), "many": pl.List(pl.String())})
B = pl.Schema({"id": pl.Int64(), "y": pl.Int64(), "g": pl.String()})
TABLES = {"a": ("silver.a", A), "b": ("silver.b", B)}
QUERIES = {
    "select * from a": {"id": {"IDENTITY a.id"}, "x": {"IDENTITY a.x"}, "g": {"IDENTITY a.g"}, "many": {"IDENTITY a.many"}},
    "select x + 1 as x, 7 as seven from a": {"x": {"TRANSFORMATION a.x"}, "seven": set()},
    "select l.x, r.x as other from a l join a r on l.id = r.x": {"x": {"IDENTITY a.x"}, "other": {"IDENTITY a.x"}},
    "select a.g, b.g as theirs from a left join b on a.id = b.id": {"g": {"IDENTITY a.g"}, "theirs": {"IDENTITY b.g"}},
    "select b.id from a full join b on a.id = b.id": {"id": {"IDENTITY b.id"}},
    "select b.id, a.x from a right join b on a.id = b.id": {"id": {"IDENTITY b.id"}, "x": {"IDENTITY a.x"}},
    "select id, x from a where id in (select id from b where y > 1)": {"id": {"IDENTITY a.id"}, "x": {"IDENTITY a.x"}},
    "select x from a union all select y from b": {"x": {"IDENTITY a.x", "IDENTITY b.y"}},
    "select case when a.g = 'k' then x else id end as c from a": {
        "c": {"TRANSFORMATION a.x", "TRANSFORMATION a.id", "CONDITIONAL a.g"}
    },
    "select sum(x) over (partition by g order by id) as s from a": {
        "s": {"AGGREGATION a.x", "WINDOW a.g", "WINDOW a.id"}
    },
    "with q as (select g, max(x) as m from a group by g) select m * 2 as d from q where m > 3": {
        "d": {"AGGREGATION a.x"}
    },
}  # fmt: skip
# A LIMIT of what is sorted is a filter by it, and so the engine plans it.
ROWS = {
    "select x, id from a where g = 'k' order by id limit 3": {"FILTER a.g", "SORT a.id", "FILTER a.id"},
    "select distinct g from a": {"GROUP_BY a.g"},
    "select x from a semi join b on a.id = b.id": {"JOIN a.id", "JOIN b.id"},
    "select g from a group by g having max(x) > 3": {"GROUP_BY a.g", "FILTER a.x"},
    "select a.x from a where a.id in (select id from b where y > 1)": {"JOIN a.id", "JOIN b.id", "FILTER b.y"},
}


@pytest.mark.parametrize("sql", QUERIES)
def test_columns_of_a_query(sql: str) -> None:
    found = of_plan(TABLES, lambda frames: query(frames, sql, {}))
    assert {column: said(sources) for column, sources in found.columns.items()} == QUERIES[sql]
    assert found.unknown == ()


@pytest.mark.parametrize("sql", ROWS)
def test_what_decides_about_the_rows(sql: str) -> None:
    found = of_plan(TABLES, lambda frames: query(frames, sql, {}))
    assert said(found.dataset) == ROWS[sql]
    assert found.unknown == ()


def test_parameters_are_no_columns_of_a_table() -> None:
    found = of_plan(TABLES, lambda frames: query(frames, "select x from a, params where id > least", {"least": 4}))
    assert said(found.columns["x"]) == {"IDENTITY a.x"}
    assert said(found.dataset) == {"JOIN a.id"}


def test_a_function_over_frames_is_read_like_a_query() -> None:
    def made(frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
        joined = frames["a"].rename({"x": "amount"}).join(frames["b"], on="id", how="full", coalesce=True)
        return joined.with_columns(pl.col("amount").sum().over("g").alias("s"), pl.lit(1).alias("one")).explode("many")

    found = of_plan(TABLES, made)
    assert said(found.columns["id"]) == {"TRANSFORMATION a.id", "TRANSFORMATION b.id"}
    assert said(found.columns["amount"]) == {"IDENTITY a.x"}
    assert said(found.columns["s"]) == {"AGGREGATION a.x", "WINDOW a.g"}
    assert said(found.columns["g_right"]) == {"IDENTITY b.g"}
    assert said(found.columns["many"]) == {"TRANSFORMATION a.many"}
    assert found.columns["one"] == () and found.unknown == ()


def test_what_the_engine_does_not_show_is_unknown_and_nothing_else() -> None:
    def made(frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
        odd = pl.col("x").map_batches(lambda values: values, return_dtype=pl.Int64).alias("odd")
        return frames["a"].with_columns(odd).with_columns((pl.col("odd") + pl.col("id")).alias("after")).drop("many")

    found = of_plan(TABLES, made)
    assert set(found.unknown) == {"odd", "after"} and found.reason
    assert said(found.columns["x"]) == {"IDENTITY a.x"}
    assert said(found.columns["after"]) == {"TRANSFORMATION a.id"}


def test_a_function_that_fails_over_empty_tables_leaves_everything_unknown() -> None:
    found = of_plan(TABLES, lambda frames: frames["a"].select("nowhere"))
    assert found.unknown == ("*",) and "ColumnNotFoundError" in found.reason


def test_a_function_that_reads_something_else_is_unknown(tmp_path: Path) -> None:
    pl.DataFrame({"id": [1]}).write_delta(tmp_path / "other")
    found = of_plan(TABLES, lambda frames: frames["a"].join(pl.scan_delta(tmp_path / "other"), on="id"))
    assert found.unknown == ("*",) and "more than its inputs" in found.reason


def test_silver_comes_from_bronze_column_by_column() -> None:
    contracted = {
        name: silver.polars_type(spec.type) for name, spec in silver.table_spec("res_partner").columns.items()
    }
    bronze = pl.Schema({**contracted, "_op": pl.String(), "_ingested_at": pl.Datetime("us", "UTC")})
    found = of_plan(
        {"bronze": ("bronze.res_partner", bronze)}, lambda frames: silver.table(frames, {"table": "res_partner"})
    )
    assert found.unknown == ()
    assert {each.column for each in found.columns["email"]} == {"email"}
    assert {(each.kind, each.column) for each in found.dataset} >= {("INDIRECT", "_op"), ("INDIRECT", "id")}
