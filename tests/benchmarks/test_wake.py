"""Percentiles are values that were seen, by nearest rank."""

from __future__ import annotations

import pytest

from benchmarks.wake import percentile


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_of_a_hundred_values_is_the_one_of_that_rank(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_the_highest_of_few_values_is_their_99th_percentile() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_one_slow_run_in_two_hundred_is_beyond_the_99th_percentile() -> None:
    assert percentile([1.0] * 199 + [500.0], 0.99) == 1.0
