"""A process that carries out one ingest phase of one table and says what it cost.

Arguments: the ops database's URL, a home with ``secrets/odoo_dsn``, the table, readers, the postmaster's pid.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.lease import first_phase
from benchmarks.measure import Meter, own_peak_bytes
from compute.phase_work import carry_out
from pipelines.registry import handler_for
from pipelines.spec import Pipeline


def spec(table: str, readers: int) -> Pipeline:
    """An ingest of one table, as a person would write it."""
    phase = {
        "name": "journal",
        "kind": "ingest",
        "source": {"kind": "postgres", "dsn": "secret://file/odoo_dsn"},
        "contract": "odoo",
        "tables": [table],
        "readers": readers,
    }
    return Pipeline.from_json({"version": 1, "pipeline": "ingest", "owner": "@bench", "phases": [phase]})


def main(url: str, home: Path, table: str, readers: int, postmaster: int) -> None:
    handler_for("ingest")  # A warm executor has imported it already.
    work = first_phase(url, home, spec(table, readers))
    meter = Meter(postmaster)
    result = carry_out(work, lambda _: None)
    cost = replace(meter.read(), peak_bytes=own_peak_bytes())
    print(json.dumps({"rows": result.rows_out, "bytes": result.byte_size}))
    print(cost.to_json())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
