"""An executor's hands on questions in SQL: what it leaves behind when it has answered one."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ops.artifacts import ArtifactStore
from ops.model import Artifact, ClaimedRun, PhaseStatus
from tests.operating import Operator


def taken(operator: Operator) -> ClaimedRun:
    """The next question, begun."""
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.start_phase(run.run_id, run.lease_token, "query")
    return run


def answered(
    operator: Operator,
    home: Path,
    frame: pl.DataFrame,
    metrics: Mapping[str, object] | None = None,
    run: ClaimedRun | None = None,
) -> ClaimedRun:
    """Answers a question as an executor does: result, plan, manifest, and what the phase says of it."""
    run = run or taken(operator)
    meta = {"personal": True} if (metrics or {}).get("personal") else {}
    for artifact in artifacts(home, frame, meta):
        operator.executor.register_artifact(run.run_id, run.lease_token, "query", artifact)
    facts = {"rows_in": 10, "rows_out": frame.height, "metrics": dict(metrics or {})}
    operator.executor.finish_phase(run.run_id, run.lease_token, "query", PhaseStatus.SUCCEEDED, facts)
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    return run


def artifacts(home: Path, frame: pl.DataFrame, meta: Mapping[str, object]) -> list[Artifact]:
    store, data = ArtifactStore(home / "artifacts"), io.BytesIO()
    frame.write_parquet(data)
    manifest = {"rows": frame.height}
    result = store.put_bytes("query.parquet", "result", data.getvalue(), "application/vnd.apache.parquet", dict(meta))
    return [
        result,
        store.put_bytes("query.plan.txt", "plan", b"SCAN gold.sales", "text/plain"),
        store.put_bytes("query.manifest.json", "manifest", json.dumps(manifest).encode(), "application/json"),
    ]


def refused(operator: Operator, code: str, said: str) -> None:
    """Fails the next question."""
    run = taken(operator)
    failure = {"error_code": code, "error_message": said}
    operator.executor.finish_phase(run.run_id, run.lease_token, "query", PhaseStatus.FAILED, failure)
    operator.executor.fail_run(run.run_id, run.lease_token, code, said, {}, False)
