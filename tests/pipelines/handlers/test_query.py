"""A query leaves its text, plan, result, preview and manifest behind; a repeat leaves the same bytes."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import polars as pl
import pytest

from ops.errors import BadInput, SchemaDrift
from tests.pipelines.handlers.conftest import Bench

GROUPED = "select id % 50 as bucket, sum(amount) as total from t group by id % 50"


def query(sql: str, **more: object) -> dict[str, object]:
    return {"kind": "query", "inputs": {"t": "gold.t"}, "sql": sql, **more}


@pytest.fixture
def filled(bench: Bench) -> Bench:
    amounts = pl.Series("amount", [Decimal(number) / 100 for number in range(5000)], pl.Decimal(18, 2))
    bench.put("gold.t", pl.DataFrame({"id": range(5000)}).with_columns(amounts))
    return bench


@pytest.mark.parametrize(
    "sql",
    [
        GROUPED,
        "select distinct id % 7 as seven from t",
        "select * from t order by id desc",
        # A plan that reads what it has computed twice.
        "with w as (select id % 9 as k, sum(amount) as s from t group by k) select k from w where s = (select max(s) from w)",
    ],
)
def test_a_repeat_gives_the_same_bytes(filled: Bench, sql: str) -> None:
    first = filled.run(query(sql))
    for _ in range(3):
        again = filled.run(query(sql))
        assert [(one.name, one.sha256) for one in again.artifacts] == [
            (one.name, one.sha256) for one in first.artifacts
        ]
        assert again.output_fingerprint == first.output_fingerprint


def test_the_artifacts_say_what_was_asked_of_what_and_what_came(filled: Bench) -> None:
    sql = "select id, amount from t cross join params where id >= params.first order by id"
    done = filled.run(query(sql, preview_rows=2), first=4990)
    kinds = {one.kind: filled.artifacts.read(one.uri) for one in done.artifacts}
    assert set(kinds) == {"sql", "plan", "result", "preview", "manifest"}
    assert b"cross join params" in kinds["sql"]
    assert pl.read_parquet(kinds["result"])["id"].to_list() == list(range(4990, 5000))
    assert json.loads(kinds["preview"]) == [{"id": 4990, "amount": "49.90"}, {"id": 4991, "amount": "49.91"}]
    manifest = json.loads(kinds["manifest"])
    assert (manifest["inputs"], manifest["rows"], manifest["params"]) == ({"gold.t": 0}, 10, {"first": 4990})
    assert manifest["fingerprint"] == done.output_fingerprint
    assert manifest["engine_version"] == f"polars {pl.__version__}"
    assert (done.rows_in, done.rows_out) == (5000, 10)


def test_the_plan_is_the_optimized_one_and_names_tables_not_files(filled: Bench) -> None:
    done = filled.run(query("select sum(amount) as total from t where id > 4990"))
    [plan] = [filled.artifacts.read(one.uri).decode() for one in done.artifacts if one.name.endswith(".plan.txt")]
    # The filter has come down to the scan.
    assert re.search(r"(?s)Parquet SCAN t@v0\n.*SELECTION: .*4990", plan), plan
    assert ".parquet" not in plan


def test_an_order_within_a_window_is_none_of_the_result(filled: Bench) -> None:
    """Rows whose order nobody asked for are sorted, though the words order by stand in the text."""
    done = filled.run(query("select id % 50 as b, row_number() over (partition by id % 50 order by id) as n from t"))
    result = next(one for one in done.artifacts if one.kind == "result")
    rows = pl.read_parquet(filled.artifacts.read(result.uri)).rows()
    assert rows == sorted(rows)


def test_a_query_writes_nothing_into_the_lake(filled: Bench) -> None:
    before = filled.visible()
    filled.run(query(GROUPED))
    assert filled.visible() == before


@pytest.mark.parametrize(
    ("sql", "error"),
    [("select from", BadInput), ("select gone from t", SchemaDrift), ("select upper(id) as x from t", SchemaDrift)],
)
def test_a_wrong_query_ends_typed_in_one_line(filled: Bench, sql: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        filled.run(query(sql))
    assert "\n" not in str(caught.value)
