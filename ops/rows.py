"""Rows and jsonb of the ops schema as :mod:`ops.model` has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ops.model import ClaimedRun, Fingerprint, PhaseState, PhaseStatus, RunId, Scope


def claimed_run(row: Mapping[str, Any]) -> ClaimedRun:
    """A row of ``ops.claim_run``."""
    same = ("lease_token", "expires_at", "pipeline", "pipeline_version", "spec", "spec_sha256", "git_sha", "params")
    also = ("input_manifest", "attempt", "max_attempts", "timeout_seconds", "elapsed_seconds", "root_run")
    return ClaimedRun(
        run_id=RunId(row["run_id"]),
        scope=Scope(row["org"], row["project"], row["env"]),
        phases=tuple(phase_state(each) for each in row["phases"]),
        **{name: row[name] for name in (*same, *also)},
    )


def phase_state(row: Mapping[str, Any]) -> PhaseState:
    """One element of its ``phases``."""
    return PhaseState(
        ordinal=row["ordinal"],
        name=row["name"],
        kind=row["kind"],
        depends_on=tuple(row["depends_on"] or ()),
        status=PhaseStatus(row["status"]),
        attempt=row["attempt"],
        input_fingerprint=Fingerprint(row["input_fingerprint"]) if row["input_fingerprint"] else None,
        output_fingerprint=Fingerprint(row["output_fingerprint"]) if row["output_fingerprint"] else None,
        result=row["result"] or {},
        effect_of=RunId(UUID(row["effect_of"])) if row["effect_of"] else None,
        kept=row["kept"],
    )
