"""The CAPS report: a tick is worth what stands behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
from playwright.sync_api import Page, expect

from compute.probes.checks import CHECKS
from dashboard.views.coverage import LOOKS, coverage_lines, coverage_tiles
from ops.watching import UNPROBED, UNSEEN, CapabilityRow, Watching
from tests.dashboard.conftest import Served
from tests.dashboard.test_views import NOW

ROW = CapabilityRow(
    1, "Jobs", "Native", "Runs", "not planned", "planned", "supported", "p", {"said": "it ran", "test": "t", "run": "r"},
    NOW - timedelta(days=1), NOW, None,
)  # fmt: skip
ROWS = [
    ROW, replace(ROW, proven_at=NOW - timedelta(days=8)), replace(ROW, proven_at=None, evidence=None),
    replace(ROW, proven_at=None, failure="no answer"),
]  # fmt: skip


def test_only_a_probe_that_succeeded_lately_is_a_tick() -> None:
    lines = coverage_lines(ROWS, NOW)
    assert [line.stages[2].tone for line in lines] == ["good", "waits", "waits", "bad"]
    assert {line.stages[1].word for line in lines} == {"… planned"}
    assert [line.said for line in lines] == ["it ran", "it ran", f"missing: {UNSEEN}", "failed: no answer"]
    # A failure is as old as the probe that saw it; when it was installed says nothing of a capability that none has seen.
    assert [line.when for line in lines] == ["1 d ago", "8 d ago", "", "now"]
    assert [bool(line.exact) for line in lines] == [True, True, False, True]
    assert {tile.name: tile.number for tile in coverage_tiles(ROWS, NOW)} == dict.fromkeys(LOOKS, 1)


def test_what_has_no_probe_says_what_is_missing(connection: psycopg.Connection) -> None:
    rows = Watching(connection).capabilities()
    assert {row.capability for row in rows} == set(UNPROBED) | set(CHECKS)
    assert not set(UNPROBED) & set(CHECKS)
    said = {line.capability: line.said for line in coverage_lines(rows, NOW)}
    assert said["Notebooks"] == "missing: nothing here opens or runs a notebook"
    assert said["Lineage"] == f"missing: {UNSEEN}"


def test_the_page_shows_what_was_proven_and_by_what(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/coverage")
    row = page.locator("tr", has_text="Jobs/Workflows")
    expect(row.locator(".pill").first).to_have_text("✓ claimed, not proven here")
    expect(page.locator("tr", has_text="Model serving")).to_contain_text("missing: nothing here serves a model")
    run_id = served.operator.succeeded()
    Watching(served.operator.owner.source).record_evidence(
        "Jobs/Workflows", "runs_end", True, {"said": "a run ended", "test": "tests/x.py", "run": str(run_id)}
    )
    page.reload()
    expect(row.locator(".pill").first).to_have_text("✓ proven")
    row.get_by_role("link", name="the run").click()
    expect(page.locator(".verdict")).to_contain_text("Succeeded")
