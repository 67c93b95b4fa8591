"""A process that carries out one publish phase and says what it cost.

Arguments: the ops database's URL, a home with ``secrets/readers``, the fingerprint to say, the postmaster's pid.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.lease import first_phase
from benchmarks.measure import Meter, own_peak_bytes
from compute.phase_work import carry_out
from ops.model import Fingerprint, TableVersion
from pipelines.registry import handler_for
from pipelines.spec import Pipeline

TABLE = "gold.mart"
TARGET = "marts.mart"


def spec() -> Pipeline:
    """A publish of one table, as a person would write it."""
    to = {"postgres": {"table": TARGET, "dsn": "secret://file/readers"}}
    phase = {"name": "publish", "kind": "publish", "table": TABLE, "to": to}
    return Pipeline.from_json({"version": 1, "pipeline": "publish", "owner": "@bench", "phases": [phase]})


def main(url: str, home: Path, fingerprint: str, postmaster: int) -> None:
    handler_for("publish")  # A warm executor has imported it already.
    pin = TableVersion(TABLE, 0, Fingerprint(fingerprint))
    work = replace(first_phase(url, home, spec()), inputs={TABLE: pin})
    meter = Meter(postmaster)
    result = carry_out(work, lambda _: None)
    cost = replace(meter.read(), peak_bytes=own_peak_bytes())
    assert result.metrics["postgres"] == "swapped", result.metrics
    print(json.dumps({"rows": result.rows_out}))
    print(cost.to_json())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
