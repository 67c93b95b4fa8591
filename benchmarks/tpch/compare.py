"""TPC-H's 22 queries on each engine that the warehouse could have: right, wrong or refused, wall, processor, memory."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from benchmarks.measure import Cost
from benchmarks.report import Report, Samples
from benchmarks.tpch.answers import different, ordered_by, unpublished
from benchmarks.tpch.data import generated
from benchmarks.tpch.engines import DATAFUSION, DUCKDB, ENGINES, ENVIRONMENT, POLARS, THREADS, versions

MB = 1_000_000
QUERIES = sorted((Path(__file__).parent / "queries").glob("q*.sql"))
QUICK_SCALE, REPEATS = 0.01, 3
SECONDS = 300.0
Answers = dict[str, pl.DataFrame | str]


def asked(engine: str, query: Path, scale: float, home: Path) -> tuple[Cost | None, pl.DataFrame | str]:
    """What it cost and the answer; no cost and the reason where there is none."""
    answer = home / "answer.arrow"
    arguments = [engine, str(query), f"{scale:g}", str(home / "lake"), str(answer)]
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.tpch.ask", *arguments],
            env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, f"took more than {SECONDS:.0f} s"
    said = ended.stdout.strip().splitlines()
    if ended.returncode != 0 or not said:
        return None, f"the process died (exit {ended.returncode}): {ended.stderr.strip()[-200:]}"
    if reason := json.loads(said[-1]).get("refused"):
        return None, str(reason)
    return Cost.from_json(said[-1]), pl.read_ipc(answer.read_bytes())


def judged(
    answers: Mapping[str, pl.DataFrame | str], query: str, scale: float, order: Sequence[str] = ()
) -> dict[str, str]:
    """Engine → ``right``, or what is wrong with its answer, or why it has none.

    Right is an answer that begins as the published one, and is the same as that of another engine.
    """
    frames = {name: answer for name, answer in answers.items() if isinstance(answer, pl.DataFrame)}
    verdicts = {}
    for name, answer in answers.items():
        if isinstance(answer, str):
            verdicts[name] = f"refused: {answer}"
            continue
        parts = {other: different(answer, theirs, order) for other, theirs in frames.items() if other != name}
        if (fault := unpublished(answer, query, scale)) is not None:
            verdicts[name] = f"wrong: {fault}"
        elif parts and None not in parts.values():
            verdicts[name] = "wrong: " + "; ".join(f"beside {other}: {where}" for other, where in parts.items())
        else:
            verdicts[name] = "right" if parts else "right as far as is published; no other engine answers"
    return verdicts


def _measured(
    home: Path, scale: float, queries: Sequence[Path], repeats: int, seen: Samples
) -> dict[str, dict[str, str]]:
    """Query → engine → verdict. Engines take turns at each query."""
    verdicts = {}
    for query in queries:
        answers: Answers = {}
        for _ in range(repeats):
            for engine in ENGINES:
                if isinstance(answers.get(engine), str):
                    continue
                cost, answers[engine] = asked(engine, query, scale, home)
                if cost is not None:
                    seen.add(query.stem, f"{engine} s", cost.wall)
                    seen.add(query.stem, f"{engine} CPU s", cost.client)
                    seen.add(query.stem, f"{engine} MB", cost.peak_bytes / MB)
        verdicts[query.stem] = judged(answers, query.stem, scale, ordered_by(query.read_text()))
        _tell(query.stem, verdicts[query.stem], seen)
    return verdicts


def _tell(query: str, told: Mapping[str, str], seen: Samples) -> None:
    """A line of what has been seen so far: large scales take their time."""
    costs = {
        engine: [round(seen.median(query, f"{engine} {unit}"), 2) for unit in ("s", "CPU s", "MB")]
        for engine in ENGINES
        if not told[engine].startswith("refused")
    }
    sys.stderr.write(f"{query} {told} {costs}\n")


def _compared(report: Report, seen: Samples, verdicts: Mapping[str, Mapping[str, str]]) -> None:
    right = {
        engine: [query for query, told in verdicts.items() if told[engine].startswith("right")] for engine in ENGINES
    }
    for engine, queries in right.items():
        report.at_least(f"{engine}: right answers", len(queries), len(verdicts))
        wall, cpu = (sum(seen.median(query, f"{engine} {unit}") for query in queries) for unit in ("s", "CPU s"))
        highest = max((seen.median(query, f"{engine} MB") for query in queries), default=0.0)
        report.notes.append(
            f"{engine}: {len(queries)} right, medians added up {wall:.2f} s, {cpu:.2f} CPU s, highest peak {highest:,.0f} MB."
        )
        report.notes += [
            f"{engine}, {query}: {told[engine]}" for query, told in verdicts.items() if told[engine] != "right"
        ]
    for engine, other in ((POLARS, DUCKDB), (POLARS, DATAFUSION)):
        both = [query for query in right[engine] if query in right[other]]
        for unit in ("s", "CPU s", "MB"):
            ratios = [seen.median(query, f"{engine} {unit}") / seen.median(query, f"{other} {unit}") for query in both]
            if ratios:
                mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
                report.notes.append(
                    f"{engine} / {other}, {unit}: {mean:.2f} × in the geometric mean of {len(ratios)} queries "
                    f"({min(ratios):.2f}–{max(ratios):.2f})."
                )


def run(quick: bool, scale: float | None = None) -> Report:
    """Generates the tables, asks each engine each query in a process of its own, and compares the answers.

    Args:
        scale: of TPC-H, 1 for about a gigabyte of text; by default 0.01 with ``quick``, else 1.
    """
    wanted = scale or (QUICK_SCALE if quick else 1.0)
    repeats = 1 if quick or wanted > 1 else REPEATS
    # That it runs is seen from a few; the tests ask all 22 of the engine that queries have.
    queries = QUERIES[::4] if quick else QUERIES
    seen = Samples()
    with tempfile.TemporaryDirectory(prefix="tpch-") as folder:
        home = Path(folder)
        generated(home, wanted)
        verdicts = _measured(home, wanted, queries, repeats, seen)
    options = f"{' --quick' if quick else ''}{f' --scale {scale:g}' if scale else ''}"
    report = Report("tpch", f"python -m benchmarks tpch{options}", repeats, seen.spreads())
    _compared(report, seen, verdicts)
    report.notes.append(
        f"{versions()}; scale {wanted:g}, {THREADS} threads each. Seconds are from the engine imported to the rows there; "
        "a process for each query, the file cache warm; MB are the highest resident size of the process, the engines' "
        "libraries with it."
    )
    return report
