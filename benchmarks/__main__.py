"""``python -m benchmarks NAME [--quick] [--json]``: runs one comparison and prints its table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks.report import Report

MODULES = {
    "queue": "benchmarks.queue.compare",
    "wake": "benchmarks.wake",
    "overhead": "benchmarks.overhead",
    "medallion": "benchmarks.medallion.compare",
    "ingest": "benchmarks.ingest",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(MODULES), metavar="NAME", help=", ".join(sorted(MODULES)))
    parser.add_argument("--quick", action="store_true", help="small and once: proves that it runs, not how fast")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args()
    run: Callable[[bool], Report] = import_module(MODULES[arguments.name]).run
    report = run(arguments.quick)
    sys.stdout.write(report.to_json() + "\n" if arguments.json else report.to_markdown())
    return 0 if all(target.holds for target in report.targets) or arguments.quick else 1


if __name__ == "__main__":
    sys.exit(main())
