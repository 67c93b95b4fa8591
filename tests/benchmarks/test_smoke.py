"""Each comparison runs from end to end; how fast is for the full run to say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("procrastinate", "pgqueuer")
FIGURES = {
    "dashboard": ("filter to rows", "live: home, 5 sessions", "ms"),
    "history": ("deep link: run", "live: home", "long"),
    "ingest": ("COPY drain", "ingest into bronze", "wall s"),
    "medallion": ("bare Polars script", "three pipelines, executor", "total s"),
    "publish": ("bare binary COPY", "publish phase", "wall s"),
    "queue": ("pgqueuer", "claim → complete by RPC, full history", "jobs per CPU-second"),
    "sitting": ("the page's process", "MiB"),
    "rls": ("listing, member of 1, without policies", "listing, member of 1, as the member", "ms"),
    "wake": ("enqueue → claim, ms", "enqueue → start, ms", "p50"),
}


OFF, ON = "plain executor", "plain executor, everything on"
# One run after the other and in bursts, after a warm-up; each of five phases.
RUNS = 5 + 5 + 3 * 5
USED = {
    "runs": RUNS,
    "runs told to the receiver of lineage": RUNS,
    "events of lineage": RUNS * 2 * (1 + 5),
    "posts of traces": 1,
    "runs scored by the steward": RUNS,
    "logs kept": RUNS * 5,
    "scrapes": 1,
    "charges to a concurrent cap": RUNS,
    "charges to metered caps": RUNS,
    "uses of a pool": RUNS,
    "runs with a cost": RUNS,
}


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("name", FIGURES)
def test_a_quick_run_measures_both_sides(name: str) -> None:
    if name == "queue":
        for peer in PEERS:
            pytest.importorskip(peer, reason="the bench group is not installed: pip install --group bench")
    if name in ("dashboard", "history") and shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        pytest.skip("no chromium on this machine; `make test` installs it where it may")
    told = _quick(name)
    *rows, figure = FIGURES[name]
    for row in rows:
        assert told["figures"][row][figure]["median"] > 0
    assert told["targets"]


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_everything_on_is_used_by_every_run() -> None:
    told = _quick("overhead")
    assert told["figures"][OFF]["one run, ms"]["median"] > 0
    assert told["figures"][ON]["one run, ms"]["median"] > 0
    seen = {target["name"].removeprefix("everything on: "): target["seen"] for target in told["targets"]}
    assert {name: seen[name] for name in USED if seen[name] < USED[name]} == {}


def _quick(name: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=660,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_queries_of_tpch_are_answered_right_by_every_engine() -> None:
    for peer in ("duckdb", "tpchgen-cli"):
        if not list(distributions(name=peer)):
            pytest.skip("the bench group is not installed: pip install --group bench")
    told = _quick("tpch")
    assert len(told["figures"]) == 6
    seen = {target["name"]: target["seen"] for target in told["targets"]}
    assert seen == {f"{engine}: right answers": 6 for engine in ("Polars SQL", "DataFusion", "DuckDB")}, told["notes"]
