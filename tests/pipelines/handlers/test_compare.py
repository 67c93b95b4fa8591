"""What a refresh has built beside what readers have, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from ops.model import PhaseResult, TableVersion
from pipelines.handlers.compare import handle
from pipelines.refresh import ComparePhase
from tests.pipelines.handlers.conftest import Bench, one_phase

OLD = pl.DataFrame({"id": [1, 2, 3], "amount": [Decimal("0.10"), Decimal("0.20"), Decimal("0.30")], "gone": [1, 2, 3]})
NEW = pl.DataFrame(
    {
        "id": [2, 3, 4, 5],
        "amount": [Decimal("0.20"), Decimal("0.35"), Decimal("1.00"), None],
        "came": ["a", "b", "c", "d"],
    }
)


def compare(bench: Bench, against: int | None, *key: str) -> Mapping[str, object]:
    """``gold.t`` at its newest version beside another."""
    result = asked(bench, against, *key)
    found = result.metrics["comparison"]
    assert isinstance(found, dict)
    return found


def asked(bench: Bench, against: int | None, *key: str) -> PhaseResult:
    some = one_phase({"kind": "query", "inputs": {"t": "gold.t"}, "sql": "select 1 from t"})
    version = bench.lake.version("gold.t")
    assert version is not None
    ctx = replace(bench.context(some), inputs={"gold.t": TableVersion("gold.t", version)})
    return handle(ctx, ComparePhase(name="compare", kind="compare", table="gold.t", key=key, against=against))


def test_every_difference_has_its_figure(bench: Bench) -> None:
    bench.put("gold.t", OLD)
    bench.put("gold.t", NEW)
    assert compare(bench, 0, "id") == {
        "table": "gold.t",
        "version": 1,
        "former": 0,
        "rows": {"before": 3, "after": 4, "share": pytest.approx(1 / 3)},
        "columns": {"added": ["came"], "removed": ["gone"], "retyped": []},
        "changed": ["id", "amount"],
        "sums": {
            "id": {"before": "6", "after": "14", "share": pytest.approx(8 / 6)},
            "amount": {"before": "0.60", "after": "1.55", "share": pytest.approx(0.95 / 0.6)},
        },
        "keys": {"only_before": 1, "only_after": 2, "changed": 1},
        "differs": {"rows": pytest.approx(1 / 3), "columns": 2, "sums": pytest.approx(0.95 / 0.6)},
    }
    assert asked(bench, 0, "id").output_fingerprint == asked(bench, 0, "id").output_fingerprint


def test_the_same_rows_in_another_order_differ_in_nothing(bench: Bench) -> None:
    bench.put("gold.t", OLD)
    bench.put("gold.t", OLD.reverse())
    found = compare(bench, 0, "id")
    assert (found["changed"], found["keys"]) == ([], {"only_before": 0, "only_after": 0, "changed": 0})
    assert found["differs"] == {"rows": 0.0, "columns": 0, "sums": 0.0}


def test_values_that_changed_places_are_seen_by_key(bench: Bench) -> None:
    bench.put("gold.t", OLD)
    bench.put("gold.t", OLD.with_columns(amount=pl.col("amount").reverse()))
    found = compare(bench, 0, "id")
    assert (found["changed"], found["keys"]) == (["amount"], {"only_before": 0, "only_after": 0, "changed": 2})


def test_a_retyped_column_is_said_and_a_key_that_names_no_row_compares_none(bench: Bench) -> None:
    bench.put("gold.t", OLD)
    bench.put("gold.t", OLD.with_columns(id=pl.lit(1, pl.Int64), gone=pl.col("gone").cast(pl.String)))
    found = compare(bench, 0, "id")
    assert found["columns"] == {"added": [], "removed": [], "retyped": ["gone"]}
    assert found["keys"] is None


def test_what_readers_did_not_have_is_all_new(bench: Bench) -> None:
    bench.put("gold.t", OLD.with_columns(ratio=pl.Series([float("nan"), 1.0, 2.0])))
    found = compare(bench, None, "id")
    assert (found["former"], found["keys"]) == (None, {"only_before": 0, "only_after": 3, "changed": 0})
    assert found["rows"] == {"before": 0, "after": 3, "share": 1.0}
    assert found["differs"] == {"rows": 1.0, "columns": 0, "sums": 1.0}
