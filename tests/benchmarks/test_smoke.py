"""Each comparison runs from end to end; how fast is for the full run to say."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PEERS = ("procrastinate", "pgqueuer")
FIGURES = {
    "dashboard": ("filter to rows", "live: home, 5 sessions", "ms"),
    "ingest": ("COPY drain", "ingest into bronze", "wall s"),
    "medallion": ("bare Polars script", "three pipelines, executor", "total s"),
    "overhead": ("plain executor", "plain executor", "one run, ms"),
    "queue": ("pgqueuer", "claim → complete by RPC, full history", "jobs per CPU-second"),
    "rls": ("listing, member of 1, without policies", "listing, member of 1, as the member", "ms"),
    "wake": ("enqueue → claim, ms", "enqueue → start, ms", "p50"),
}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", FIGURES)
def test_a_quick_run_measures_both_sides(name: str) -> None:
    if name == "queue":
        for peer in PEERS:
            pytest.importorskip(peer, reason="the bench group is not installed: pip install --group bench")
    if name == "dashboard" and shutil.which("chromium") is None and shutil.which("google-chrome") is None:
        pytest.skip("no chromium on this machine; `make test` installs it where it may")
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--quick", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=360,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    *rows, figure = FIGURES[name]
    for row in rows:
        assert told["figures"][row][figure]["median"] > 0
    assert told["targets"]
