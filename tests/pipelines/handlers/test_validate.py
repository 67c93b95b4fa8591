"""Validate: what holds passes, what does not fails, warns or is put aside, as the spec says."""

from __future__ import annotations

import pytest

from ops.errors import CheckFailed, SchemaDrift
from tests.pipelines.handlers.conftest import Bench

ROWS = {"id": [1, 2, 2, 4], "name": ["a", None, "c", "d"]}


def validate(*expect: dict[str, object], **more: object) -> dict[str, object]:
    return {"kind": "validate", "table": "silver.t", "expect": list(expect), **more}


NULLS: dict[str, object] = {"nulls": {"column": "name"}}
UNIQUE: dict[str, object] = {"unique": ["id"]}
MANY: dict[str, object] = {"rows": {"min": 100}}


def test_what_holds_is_kept_as_evidence(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    document = validate({"rows": {"min": 4}}, {"holds": {"sql": "id > 0"}})
    done = bench.run(document)
    assert done.metrics["failed_checks"] == 0
    assert [one["rule"] for one in done.metrics["checks"]] == ["rows", "holds id > 0"]  # type: ignore[attr-defined]
    assert bench.run(document).output_fingerprint == done.output_fingerprint


def test_every_broken_check_is_in_the_error(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    with pytest.raises(CheckFailed) as caught:
        bench.run(validate(NULLS, UNIQUE, {"rows": {"min": 1}}, MANY))
    said = str(caught.value)
    assert said.startswith("silver.t: nulls name: expected <= 0.00%, observed 25.00% (1 of 4); unique id: ")
    assert said.endswith("rows: expected >= 100, observed 4")
    assert [one["ok"] for one in caught.value.data["checks"]] == [False, False, True, False]  # type: ignore[attr-defined]


def test_a_warning_lets_the_run_go_on_and_is_counted(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    before = bench.visible()
    done = bench.run(validate(NULLS, MANY, on_fail="warn"))
    assert done.metrics["failed_checks"] == 2
    assert bench.visible() == before


def test_quarantine_keeps_each_bad_row_with_every_reason(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    done = bench.run(validate(NULLS, UNIQUE, on_fail="quarantine"))
    [dataset] = done.datasets
    assert (dataset.table, done.rows_out) == ("quarantine.silver_t", 2)
    aside = bench.lake.scan("quarantine.silver_t").sort("name", nulls_last=True)
    assert aside.select("id", "name", "_reason").collect().rows() == [
        (2, "c", "unique id"),
        (2, None, "nulls name; unique id"),
    ]
    assert bench.lake.rows("silver.t") == 4, "the table itself is not touched"


def test_quarantine_keeps_bad_rows_once_whoever_repeats_it(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    first = bench.runs.claim()
    bench.run(validate(NULLS, on_fail="quarantine"), first)
    bench.run(validate(NULLS, on_fail="quarantine"), bench.runs.claim(first.run_id))
    assert bench.lake.rows("quarantine.silver_t") == 1


def test_what_has_no_bad_rows_cannot_be_put_aside(bench: Bench) -> None:
    bench.put("silver.t", ROWS)
    before = bench.visible()
    with pytest.raises(CheckFailed, match="rows: expected >= 100"):
        bench.run(validate(NULLS, MANY, on_fail="quarantine"))
    assert bench.visible() == before


def test_the_version_before_is_what_change_and_drift_are_measured_by(bench: Bench) -> None:
    expect: tuple[dict[str, object], ...] = ({"rows": {"max_change": "50%"}}, {"schema": {"contract": "freeze"}})
    bench.put("silver.t", ROWS)
    assert bench.run(validate(*expect)).metrics["failed_checks"] == 0, "a first version has none before it"
    bench.put("silver.t", {"id": ["1"], "name": ["a"]})
    with pytest.raises(
        CheckFailed, match=r"changed by at most 50.0% from 4, observed 1; schema: .*id is string, was long"
    ):
        bench.run(validate(*expect))


def test_a_sum_ties_the_table_to_another(bench: Bench) -> None:
    tie: dict[str, object] = {"sum": {"column": "id", "equals": {"table": "silver.books", "column": "amount"}}}
    bench.put("silver.t", ROWS)
    bench.put("silver.books", {"amount": [4, 5]})
    assert bench.run(validate(tie)).metrics["failed_checks"] == 0
    bench.put("silver.books", {"amount": [4, 6]})
    with pytest.raises(CheckFailed, match=r"sum id: expected 10 \(sum amount of silver.books\), observed 9"):
        bench.run(validate(tie))


@pytest.mark.parametrize("sql", ["gone > 0", "name > 0"])
def test_a_condition_over_a_column_that_is_not_so_is_drift(bench: Bench, sql: str) -> None:
    bench.put("silver.t", ROWS)
    with pytest.raises(SchemaDrift) as caught:
        bench.run(validate({"holds": {"sql": sql}}))
    assert "\n" not in str(caught.value)
