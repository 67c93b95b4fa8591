"""Rules of what a transform makes: each row in the table, in quarantine or left out, and never in two of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from ops.errors import BadInput, CheckFailed, Conflict
from ops.model import DatasetVersion
from tests.pipelines.fences import Hold, Owner
from tests.pipelines.handlers.conftest import Bench, one_phase

HERE = "tests.pipelines.handlers.functions"
SEED = {
    "id": [1, 2, 2, 4, 5, 6],
    "name": ["a", "b", "c", None, "e", "f"],
    "amount": [10, 20, 30, 40, -5, None],
}
ONCE: dict[str, object] = {"unique": ["id"], "on_fail": "quarantine"}
NAMED: dict[str, object] = {"nulls": {"column": "name"}, "on_fail": "drop"}
POSITIVE: dict[str, object] = {"holds": {"sql": "amount > 0", "name": "positive"}, "on_fail": "warn"}


def transform(*expect: dict[str, object], mode: str = "replace", **more: object) -> dict[str, object]:
    output = {"table": "gold.out", "key": ["id"], "mode": mode}
    how = {} if "python" in more else {"sql": "select * from seed"}
    return {"kind": "transform", "inputs": {"seed": "silver.seed"}, "output": output, "expect": expect, **how, **more}


def kept(bench: Bench) -> list[object]:
    return sorted(bench.lake.scan("gold.out").collect()["name"].to_list(), key=str)


def aside(bench: Bench) -> list[tuple[object, ...]]:
    rows = bench.lake.scan("quarantine.gold_out").collect()
    return sorted(rows.select("name", "_reason").rows(), key=str)


def counts(metrics: object) -> list[tuple[object, ...]]:
    assert isinstance(metrics, list)
    fields = ("rule", "on_fail", "ok", "checked", "failed", "dropped", "quarantined")
    return [tuple(one[field] for field in fields) for one in metrics]


def test_each_row_goes_where_its_rules_say_and_is_counted_there(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    owner = bench.runs.claim()
    done = bench.run(transform(ONCE, NAMED, POSITIVE, {"rows": {"min": 3, "max": 3}}), owner)
    assert kept(bench) == ["a", "e", "f"]
    assert aside(bench) == [("b", "unique id"), ("c", "unique id")]
    put = bench.lake.scan("quarantine.gold_out").collect()
    assert put.columns == ["id", "name", "amount", "_reason", "_phase", "_run_id"]
    assert set(put["_run_id"]) == {str(owner.run_id)}
    assert counts(done.metrics["checks"]) == [
        ("unique id", "quarantine", False, 6, 2, 0, 2),
        ("nulls name", "drop", False, 6, 1, 1, 0),
        ("positive", "warn", False, 6, 2, 0, 0),
        ("rows", "fail", True, 6, 0, 0, 0),
    ]
    figures = [done.metrics[name] for name in ("rows_checked", "rows_dropped", "rows_quarantined", "failed_checks")]
    assert figures == [6, 1, 2, 3]
    assert (done.rows_in, done.rows_out) == (6, 3)
    assert [one.table for one in done.datasets] == ["gold.out", "quarantine.gold_out"]


def test_a_row_that_breaks_both_is_kept_as_evidence_and_names_both_reasons(bench: Bench) -> None:
    bench.put("silver.seed", SEED | {"name": ["a", None, "c", None, "e", "f"]})
    done = bench.run(transform(ONCE, NAMED))
    assert aside(bench) == [("c", "unique id"), (None, "unique id; nulls name")]
    assert counts(done.metrics["checks"]) == [
        ("unique id", "quarantine", False, 6, 2, 0, 2),
        ("nulls name", "drop", False, 6, 2, 1, 1),
    ]


@pytest.mark.parametrize("rule", [ONCE | {"on_fail": "fail"}, {"rows": {"min": 4}}, {"nulls": {"column": "gone"}}])
def test_a_rule_that_fails_leaves_nothing_visible(bench: Bench, rule: dict[str, object]) -> None:
    bench.put("silver.seed", SEED)
    before, files = bench.visible(), sorted(bench.home.rglob("*.parquet"))
    with pytest.raises(CheckFailed) as caught:
        bench.run(transform(rule, NAMED, ONCE, {"nulls": {"column": "gone"}, "on_fail": "drop"}))
    assert bench.visible() == before
    assert sorted(bench.home.rglob("*.parquet")) == files, "what was staged is gone"
    assert counts(caught.value.data["checks"])[1] == ("nulls name", "drop", False, 6, 1, 1, 0)


def test_the_phases_word_counts_for_rules_that_say_nothing(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    done = bench.run(transform({"nulls": {"column": "name"}}, {"rows": {"min": 5}}, on_fail="drop"))
    assert [one[1] for one in counts(done.metrics["checks"])] == ["drop", "fail"]
    assert kept(bench) == ["a", "b", "c", "e", "f"]


def test_whole_table_rules_are_about_what_would_be_written(bench: Bench) -> None:
    bench.put("silver.seed", SEED)
    bench.put("silver.books", {"total": [45, 99], "kind": ["mine", "other"]})
    books = {"table": "silver.books", "column": "total", "where": "kind = 'mine'"}
    tie: dict[str, object] = {"sum": {"column": "amount", "where": "amount < 100", "equals": books}}
    with pytest.raises(CheckFailed, match=r"sum amount: expected 45 .*, observed 5"):
        bench.run(transform(tie, NAMED, ONCE))
    bench.put("silver.books", {"total": [5, 99], "kind": ["mine", "other"]})
    assert bench.run(transform(tie, NAMED, ONCE)).metrics["failed_checks"] == 2


@pytest.mark.parametrize("mode", ["append", "merge", "scd2"])
def test_every_mode_takes_rules(bench: Bench, mode: str) -> None:
    bench.put("silver.seed", SEED)
    for _ in range(2):
        bench.run(transform(ONCE, NAMED, mode=mode))
    assert kept(bench) == (["a", "a", "e", "e", "f", "f"] if mode == "append" else ["a", "e", "f"])
    assert len(aside(bench)) == 4, "of two runs"


class Killed(BaseException):
    """Stands for a process that is gone: no handler of ours may catch it."""


@dataclass(frozen=True)
class Dying(Owner):
    """An owner that is killed at its n-th hold, or when it is about to write down its n-th commit."""

    at: str = ""
    nth: int = 0

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        reached = self.__dict__.setdefault("reached", [])
        reached.append("hold")
        if self.at == "hold" and len(reached) == self.nth:
            raise Killed
        with super().hold() as real:
            yield Unwritten(real.connection, real.run_id) if (self.at, len(reached)) == ("record", self.nth) else real


class Unwritten(Hold):
    def record(self, dataset: DatasetVersion) -> None:
        raise Killed


@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
@pytest.mark.parametrize(("at", "nth"), [("hold", 1), ("record", 1), ("hold", 2), ("record", 2)])
def test_a_crash_between_the_commits_leaves_each_row_in_one_place(bench: Bench, mode: str, at: str, nth: int) -> None:
    bench.put("silver.seed", SEED)
    owner = bench.runs.claim()
    document = transform(ONCE, NAMED, mode=mode)
    with pytest.raises(Killed):
        bench.run(document, Dying(owner.url, owner.run_id, owner.token, at, nth))
    done = bench.run(document, bench.runs.claim(owner.run_id))
    assert kept(bench) == ["a", "e", "f"]
    assert aside(bench) == [("b", "unique id"), ("c", "unique id")]
    assert [one.rows for one in done.datasets] == [3, 2]
    assert (done.metrics["rows_dropped"], done.metrics["rows_quarantined"]) == (1, 2)
    assert ("gold.out", 0) in bench.runs.recorded()
    assert ("quarantine.gold_out", 0) in bench.runs.recorded()
    whole = bench.run(document, bench.runs.claim(owner.run_id))
    assert (whole.output_fingerprint, whole.metrics["checks"]) == (done.output_fingerprint, done.metrics["checks"])


def test_a_transform_that_is_not_the_same_twice_stops_half_way(bench: Bench) -> None:
    """After a crash between the commits other rows would be in both tables, or in none."""
    bench.put("silver.seed", SEED)
    owner = bench.runs.claim()
    document = transform(NAMED | {"on_fail": "quarantine"}, python=f"{HERE}:never_twice")
    with pytest.raises(Killed):
        bench.run(document, Dying(owner.url, owner.run_id, owner.token, "hold", 2))
    with pytest.raises(Conflict, match=r"quarantine\.gold_out"):
        bench.run(document, bench.runs.claim(owner.run_id))
    assert bench.lake.version("gold.out") is None


def test_rows_are_split_the_same_way_however_many_there_are(bench: Bench) -> None:
    """What is double, or above the average, is so among all rows and not among those of a batch."""
    many = 150_000
    ids = pl.Series("id", range(many)).append(pl.Series([0, many - 1]))
    bench.put("silver.seed", pl.DataFrame({"id": ids, "name": ids.cast(pl.String), "amount": ids}))
    above: dict[str, object] = {"holds": {"sql": "amount >= 0 and id < 149000", "name": "low"}, "on_fail": "drop"}
    done = bench.run(transform(ONCE, above))
    assert counts(done.metrics["checks"]) == [
        ("unique id", "quarantine", False, many + 2, 4, 0, 4),
        ("low", "drop", False, many + 2, 1001, 999, 2),
    ]
    assert bench.lake.rows("gold.out") == many + 2 - 4 - 999
    assert bench.lake.rows("quarantine.gold_out") == 4


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (transform({"rows": {"min": 1}, "on_fail": "drop"}), "no rows to drop"),
        (transform({"nulls": {"column": "a", "max": "5%"}, "on_fail": "drop"}), "set max to 0"),
        (transform({"rows": {"max_change": "5%"}}), "write it in a validate phase"),
        (transform({"schema": {"contract": "freeze"}}), "write it in a validate phase"),
        ({"kind": "validate", "table": "silver.t", "expect": [NAMED]}, "cannot drop them"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_the_spec(document: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        one_phase(document)


def test_a_refused_table_leaves_the_evidence_under_its_run(bench: Bench) -> None:
    """The evidence is committed first: it is nobody's to read before a run that wrote it has succeeded."""
    bench.put("silver.seed", SEED)
    with pytest.raises(BadInput, match="more than once"):
        bench.run(transform(NAMED | {"on_fail": "quarantine"}, mode="merge"))
    assert bench.lake.version("gold.out") is None
    assert list(Path(bench.lake.path("gold.out")).glob("*.parquet")) == [], "what was staged is gone"
    assert aside(bench) == [(None, "nulls name")]
