"""``python -m benchmarks NAME [--quick] [--json]``: runs one comparison and prints its table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks.report import Report

MODULES = {
    "dashboard": "benchmarks.dashboard.compare",
    "history": "benchmarks.dashboard.longer",
    "sitting": "benchmarks.dashboard.sitting",
    "queue": "benchmarks.queue.compare",
    "wake": "benchmarks.wake",
    "overhead": "benchmarks.overhead",
    "medallion": "benchmarks.medallion.compare",
    "ingest": "benchmarks.ingest.compare",
    "publish": "benchmarks.publish.compare",
    "rls": "benchmarks.rls.compare",
    "tpch": "benchmarks.tpch.compare",
}
# Those whose size can be chosen.
SIZED = ("dashboard", "history", "ingest", "publish")


def main(arguments: list[str] | None = None) -> int:
    """0 where every target holds or the run was quick, 1 where one falls short, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", metavar="NAME", help=", ".join(sorted(MODULES)))
    parser.add_argument("--quick", action="store_true", help="small and once: proves that it runs, not how fast")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument(
        "--rows",
        type=int,
        metavar="N",
        help="of the source (ingest), the mart (publish), the history (dashboard, history)",
    )
    parser.add_argument("--scale", type=float, metavar="F", help="of TPC-H's tables; 1 is about a gigabyte of text")
    wanted = parser.parse_args(arguments)
    if wanted.name not in MODULES:
        return _refuse(f"there is no benchmark {wanted.name!r}; there are {', '.join(sorted(MODULES))}")
    if wanted.rows is not None and (wanted.name not in SIZED or wanted.rows < 1):
        return _refuse(f"--rows {wanted.rows} does not fit {wanted.name}; it is for {', '.join(SIZED)}, and at least 1")
    if wanted.scale is not None and (wanted.name != "tpch" or wanted.scale <= 0):
        return _refuse(f"--scale {wanted.scale:g} does not fit {wanted.name}; it is for tpch, and above 0")
    run: Callable[..., Report] = import_module(MODULES[wanted.name]).run
    sizes = {name: size for name in ("rows", "scale") if (size := getattr(wanted, name)) is not None}
    report = run(wanted.quick, **sizes)
    sys.stdout.write(report.to_json() + "\n" if wanted.json else report.to_markdown())
    return 0 if wanted.quick or all(target.holds for target in report.targets) else 1


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
