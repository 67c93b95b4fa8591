"""A transform makes one table from pinned versions, exactly once, or leaves everything as it was."""

from __future__ import annotations

from datetime import date

import pytest

from ops.errors import BadInput, LeaseLost, NotFound, SchemaDrift
from tests.pipelines.handlers.conftest import Bench

SEED = {"id": [1, 2, 3], "name": ["a", "b", "c"]}
HERE = "tests.pipelines.handlers.functions"


def transform(sql: str | None = None, **more: object) -> dict[str, object]:
    output = {"table": "gold.out", "key": ["id"], "mode": more.pop("mode", "replace")}
    how = {} if sql is None else {"sql": sql}
    return {"kind": "transform", "inputs": {"seed": "silver.seed"}, "output": output, **how, **more}


def test_sql_reads_the_inputs_and_the_parameters(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    sql = "select id, name from seed cross join params where id >= params.first"
    done = bench.run(transform(sql), first=2, other="x")
    assert bench.lake.scan("gold.out").sort("id").collect().rows() == [(2, "b"), (3, "c")]
    assert (done.rows_in, done.rows_out) == (3, 2)
    [dataset] = done.datasets
    assert (dataset.table, dataset.version, dataset.adopted) == ("gold.out", 0, False)
    assert [(one.table, one.version) for one in dataset.inputs] == [("silver.seed", 0)]
    assert bench.runs.recorded()[-1] == ("silver.seed", 0)


def test_a_parameter_is_never_sql(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    bench.run(transform("select id, params.who as who from seed cross join params"), who="x' or '1'='1")
    assert set(bench.lake.scan("gold.out").collect()["who"]) == {"x' or '1'='1"}


def test_a_function_gets_parameters_and_its_own_arguments(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    bench.run(transform(python=f"{HERE}:times") | {"with": {"label": "x"}}, factor=10)
    assert bench.lake.scan("gold.out").sort("id").collect().rows() == [(10, "x"), (20, "x"), (30, "x")]


def test_the_pinned_version_is_read_though_a_newer_one_is_there(bench: Bench) -> None:
    from pipelines.registry import handler_for
    from tests.pipelines.handlers.conftest import one_phase

    bench.put("silver.seed", SEED)
    phase = one_phase(transform("select * from seed"))
    context = bench.context(phase)
    bench.put("silver.seed", {"id": [9], "name": ["new"]})
    handler_for("transform")(context, phase)
    assert bench.lake.scan("gold.out").collect().height == 3


def test_the_next_owner_adopts_what_the_former_committed(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    first = bench.runs.claim()
    document = transform("select * from seed", mode="append")
    bench.run(document, first)
    again = bench.run(document, bench.runs.claim(first.run_id))
    assert again.metrics["adopted"] is True
    assert bench.lake.rows("gold.out") == 3
    with pytest.raises(LeaseLost):
        bench.run(document, first)


def test_scd2_dates_a_change_by_the_input_that_brought_it(bench: Bench) -> None:
    bench.put("silver.seed", {"id": [1, 2], "day": [date(2026, 1, 1)] * 2})
    bench.run(transform("select * from seed", mode="scd2"))
    bench.put("silver.seed", {"id": [1, 2], "day": [date(2026, 1, 1), date(2026, 2, 2)]})
    bench.run(transform("select * from seed", mode="scd2"))
    rows = bench.lake.scan("gold.out").sort("id", "_valid_from").select("id", "day", "_current").collect().rows()
    assert rows == [(1, date(2026, 1, 1), True), (2, date(2026, 1, 1), False), (2, date(2026, 2, 2), True)]


@pytest.mark.parametrize(
    ("sql", "error", "reason"),
    [
        ("select id from", BadInput, "Expected"),
        ("select * from nobody", BadInput, "nobody"),
        ("select gone from seed", SchemaDrift, "gone"),
        ("select id + name as id from seed", SchemaDrift, "arithmetic on dtypes"),
        ("select cast(name as integer) as id from seed", SchemaDrift, "conversion from `str` to `i32`"),
        ("select sum(name) as id from seed", SchemaDrift, "not supported for dtype `str`"),
        ("select date(name) as id from seed", SchemaDrift, "parse dates"),
        ("select substr(id, 1, 2) as id from seed", SchemaDrift, "expected `String`"),
    ],
)
def test_a_query_that_does_not_fit_ends_typed_in_one_line_and_leaves_nothing(
    bench: Bench, sql: str, error: type[Exception], reason: str
) -> None:
    bench.put("silver.seed", SEED)
    bench.put("gold.out", {"id": [0]})
    before = bench.visible()
    with pytest.raises(error, match=reason) as caught:
        bench.run(transform(sql))
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert bench.visible() == before


def test_what_is_not_there_or_not_lazy_is_said(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"table silver\.seed does not exist in demo/dev"):
        bench.run(transform("select 1"))
    bench.put("silver.seed", SEED)
    with pytest.raises(BadInput, match="eager returned DataFrame; return a LazyFrame"):
        bench.run(transform(python=f"{HERE}:eager"))
    with pytest.raises(NotFound, match="cannot be imported"):
        bench.run(transform(python=f"{HERE}:nobody"))
