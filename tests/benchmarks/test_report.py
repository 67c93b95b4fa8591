"""A report says what was measured, and says it when a target is missed."""

from __future__ import annotations

import json

import pytest

from benchmarks.report import Report, Samples, Spread


def _samples(**rows: list[float]) -> Samples:
    seen = Samples()
    for row, values in rows.items():
        for value in values:
            seen.add(row, "jobs/s", value)
    return seen


def test_a_spread_is_lowest_median_highest() -> None:
    assert Spread.of([30.0, 10.0, 20.0, 90.0]) == Spread(10.0, 25.0, 90.0)


def test_no_measurement_has_no_median() -> None:
    with pytest.raises(ValueError, match="no measurement"):
        Spread.of([])


def test_a_ratio_compares_each_repeat_with_its_own_neighbour() -> None:
    # The second repeat was disturbed: both were ten times slower. The median of the ratios does not see it.
    seen = _samples(ours=[100.0, 10.0, 100.0], peer=[50.0, 5.0, 50.0])
    assert seen.ratio("jobs/s", "ours", "peer") == 2.0


def test_a_ratio_of_unequal_repeats_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _samples(ours=[100.0, 10.0], peer=[50.0]).ratio("jobs/s", "ours", "peer")


@pytest.mark.parametrize(("seen", "holds"), [(0.79, False), (0.8, True), (0.9, True)])
def test_a_floor_holds_from_its_bound_on(seen: float, holds: bool) -> None:
    report = Report("queue", "command", 1)
    report.at_least("ratio", seen, 0.8)
    assert report.targets[0].holds is holds


@pytest.mark.parametrize(("seen", "holds"), [(2.1, False), (2.0, True), (1.0, True)])
def test_a_ceiling_holds_up_to_its_bound(seen: float, holds: bool) -> None:
    report = Report("medallion", "command", 1)
    report.at_most("ratio", seen, 2)
    assert report.targets[0].holds is holds


def test_the_table_names_the_command_the_load_and_what_falls_short() -> None:
    report = Report("queue", "python -m benchmarks queue", 3, _samples(ours=[1.0, 2.0, 3.0]).spreads())
    report.at_least("ours / peer", 1.5, 2)
    text = report.to_markdown()
    assert "`python -m benchmarks queue` · 3 interleaved repeats" in text
    assert "load average" in text
    assert "| ours | 2 (1–3) |" in text
    assert "| ours / peer | >= 2 | 1.5 | falls short |" in text


def test_a_figure_that_a_row_does_not_have_is_a_dash() -> None:
    seen = _samples(ours=[1.0], peer=[1.0])
    seen.add("peer", "CPU", 4.0)
    assert "| ours | 1 (1–1) | – |" in Report("queue", "command", 1, seen.spreads()).to_markdown()


def test_the_json_holds_everything_that_the_table_shows() -> None:
    report = Report("queue", "command", 1, _samples(ours=[2.0]).spreads(), notes=["fsync on"])
    report.at_most("ratio", 3.0, 2)
    told = json.loads(report.to_json())
    assert told["figures"]["ours"]["jobs/s"] == {"low": 2.0, "median": 2.0, "high": 2.0}
    assert told["targets"] == [{"name": "ratio", "wanted": "<= 2", "seen": 3.0, "holds": False}]
    assert told["notes"] == ["fsync on"]
    assert "load average" in told["machine"]
