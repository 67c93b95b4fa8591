"""Backfills and refreshes as lines, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from dashboard.views.backfills import backfill_line, chunk_lines, definition, listed, plan_lines
from dashboard.views.refreshes import difference_lines, refresh_line
from ops.backfills import BackfillPlan, BackfillRow, ChunkRow, Estimate, PlannedChunk
from ops.model import RunId
from ops.refreshes import Refresh
from tests.dashboard.test_views import NOW

ROW = BackfillRow(
    UUID(int=0xABCDEF), "default", "demo", "dev", "daily", 2, {}, {"param": "day"}, 10, 10, 1, 4, 3, 200, "active", "",
    NOW - timedelta(minutes=5), "ada", None, "2025-01-01", "2025-01-10", 4, 2, 3, 1, 0,
)  # fmt: skip
CHUNK = ChunkRow(3, "2025-01-03", "2025-01-04", 1, "failed", 3, UUID(int=9), "failed", "CHECK_FAILED", "nulls", NOW)
PLAN = BackfillPlan(
    None, "daily", 2, "dev", 14, tuple(PlannedChunk(n, f"2025-01-{n:02}", f"2025-01-{n + 2:02}", 2) for n in range(1, 8)),
    Estimate(5, 7, 4, 120.0, 400.0, 1400, 2_000_000),
)  # fmt: skip
REFRESH = Refresh(
    UUID(int=0x123), "default", "demo", "dev", "sales", RunId(UUID(int=5)), "built", {"rows": 0.01}, "new tax rules", "ada",
    NOW - timedelta(hours=1), None, None, None, None,
)  # fmt: skip
COMPARED = {
    "table": "gold.sales", "version": 4, "former": 3, "rows": {"before": 1200, "after": 1210, "share": 0.008},
    "columns": {"added": ["vat"], "removed": [], "retyped": []}, "changed": [],
    "sums": {"amount": {"before": "10.00", "after": "12.00", "share": 0.2}, "id": {"before": "9", "after": "9", "share": 0}},
    "keys": {"only_before": 0, "only_after": 10, "differ": 2},
}  # fmt: skip


def test_a_backfill_says_how_far_it_is_and_what_may_be_done_about_it() -> None:
    line = backfill_line(ROW, NOW)
    assert (line.done, line.bad, line.partitions) == (30.0, 10.0, "2025-01-01 … 2025-01-10")
    assert line.said == "3 done, 2 at work, 4 left, 1 failed of 10 chunks; 4 at a time, priority 200"
    assert line.started == "ordered 5 min ago by ada"


@pytest.mark.parametrize(
    ("state", "able"),
    [
        ("active", (True, False, True)), ("paused", (False, True, True)), ("failed", (False, True, True)),
        ("succeeded", (False, False, False)), ("canceled", (False, False, False)),
    ],
)  # fmt: skip
def test_only_that_is_offered_which_its_state_allows(state: str, able: tuple[bool, ...]) -> None:
    line = backfill_line(replace(ROW, state=state), NOW)
    assert (line.pausable, line.resumable, line.cancelable) == able


def test_a_chunk_says_which_run_it_has_and_what_went_wrong() -> None:
    [line, waiting, several] = chunk_lines([
        CHUNK, replace(CHUNK, state="pending", run_id=None, error_code=None, error_message=None),
        replace(CHUNK, until="2025-01-05", partitions=2),
    ])  # fmt: skip
    assert (line.partitions, line.error, line.tone) == ("2025-01-03", "CHECK_FAILED: nulls", "bad")
    assert (waiting.run_id, waiting.error) == ("", "")
    assert several.partitions == "2025-01-03 up to 2025-01-05"


def test_a_plan_says_what_to_expect_or_that_nothing_is_known() -> None:
    whole, expected, runs = plan_lines(PLAN)
    assert whole == "daily version 2 in dev: 14 partitions in 7 runs, 4 at a time."
    assert expected == "About 2 min, 6 min 40 s of executors, 1,400 rows, 2.0 MB, by 5 runs before."
    assert runs.startswith("Its runs: 2025-01-01 up to 2025-01-03; ")
    assert runs.endswith("… 1 more, the last 2025-01-07.")
    unknown = list(plan_lines(replace(PLAN, estimate=Estimate(0, 7, 4, None, None, None, None))))
    assert unknown[1] == "No run of daily has succeeded in dev yet: there is nothing to estimate from."


def test_what_the_form_says_is_a_definition() -> None:
    first, last = date(2025, 1, 1), date(2025, 1, 31)
    whole = definition("daily", [first, last], {"a": 1}, {"max_parallel": 2})
    assert whole == {
        "pipeline": "daily", "params": {"a": 1}, "max_parallel": 2, "from": "2025-01-01", "to": "2025-01-31",
    }  # fmt: skip
    assert definition("daily", ["north", "south"], {}, {}) == {
        "pipeline": "daily",
        "params": {},
        "values": ["north", "south"],
    }
    assert definition("daily", [], {}, {}) is None
    assert definition("daily", [first], {}, {}) is None
    assert listed(" north\nsouth, north,\n") == ["north", "south"]


@pytest.mark.parametrize(
    ("row", "said", "decidable"),
    [
        (
            REFRESH,
            "started 1 h ago by ada; waits for somebody to swap it in; swaps itself in within rows 1.00%",
            "swap",
        ),
        (
            replace(REFRESH, state="swapped", tolerance=None, swapped_at=NOW),
            "started 1 h ago by ada; swapped in now by its tolerance",
            "roll back",
        ),
        (replace(REFRESH, state="building", tolerance=None), "started 1 h ago by ada", ""),
        (
            replace(REFRESH, state="rolled back", swapped_at=NOW, swapped_by="ada", rolled_back_at=NOW),
            "started 1 h ago by ada; swapped in now by ada; rolled back now by the installation",
            "",
        ),
    ],
)
def test_a_refresh_says_what_became_of_it_and_what_is_to_be_decided(row: Refresh, said: str, decidable: str) -> None:
    line = refresh_line(row, NOW)
    assert (line.said, line.decidable) == (said, decidable)
    assert line.exact.startswith("started 2026-03-01 11:00:00 UTC")
    assert ("swapped in 2026-03-01 12:00:00 UTC" in line.exact) == ("swapped in now" in said)


def test_what_differs_is_marked_and_what_does_not_is_said_to_be_the_same() -> None:
    lines = {line.what: line for line in difference_lines([COMPARED])}
    assert (lines["rows"].before, lines["rows"].after, lines["rows"].tone) == ("1,200", "1,210", "waits")
    assert (lines["added columns"].after, lines["added columns"].tone) == ("vat", "waits")
    assert lines["changed columns"].tone == "good"
    assert "sum id" not in lines
    assert lines["sum amount"].after == "12.00"
    assert (lines["rows only before"].tone, lines["rows differ"].tone) == ("good", "waits")
    assert difference_lines([]) == []
