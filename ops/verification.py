"""Verifications: runs that carry another one out again, aside, and compare the fingerprints.

Like :mod:`ops.rpc`, only SQL decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ops.calls import Calls
from ops.model import Fingerprint, LeaseToken, RunId, RunStatus, Scope

Json = Mapping[str, Any]


@dataclass(frozen=True)
class LeftPhase:
    """What a phase of a finished run left.

    Attributes:
        result: as its owner wrote it down.
        effect_of: the run by which what it did to the lake is known.
    """

    name: str
    kind: str
    output_fingerprint: Fingerprint | None
    result: Json
    effect_of: RunId


@dataclass(frozen=True)
class LeftArtifact:
    name: str
    uri: str
    sha256: str


@dataclass(frozen=True)
class Left:
    """What a run that succeeded left, and from what."""

    run_id: RunId
    scope: Scope
    pipeline: str
    git_sha: str
    params: Json
    spec: Json
    input_manifest: Json
    phases: Sequence[LeftPhase]
    artifacts: Sequence[LeftArtifact]


@dataclass(frozen=True)
class VerificationRow:
    """A run that verifies another: NOT_REPRODUCED is the error of one that found a difference."""

    run_id: RunId
    status: RunStatus
    created_at: datetime
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None


class Verifications(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "verification"

    def verify(self, run_id: RunId) -> RunId:
        """Queues a verification; while one of the run has not ended, it is that one.

        Raises:
            IllegalTransition: the run has not succeeded, is a question or a verification.
        """
        return RunId(self._value("verify_run", run_id=run_id))

    def last_of(self, run_id: RunId) -> VerificationRow | None:
        """The newest verification of a run."""
        rows = self._rows("last_of", run_id=run_id)
        return VerificationRow(**{**rows[0], "status": RunStatus(rows[0]["status"])}) if rows else None

    def left(self, run_id: RunId, lease_token: LeaseToken) -> Left | None:
        """What the run left that ``run_id`` verifies; None where it verifies none.

        Raises:
            LeaseLost: the verification is somebody else's by now.
        """
        value = self._value("verified_run", run_id=run_id, lease_token=lease_token)
        if value is None:
            return None
        said = dict(value)
        phases = [
            LeftPhase(**{**one, "effect_of": RunId(UUID(one["effect_of"])), "result": one["result"] or {}})
            for one in said.pop("phases")
        ]
        artifacts = [LeftArtifact(**one) for one in said.pop("artifacts")]
        scope = Scope(said.pop("org"), said.pop("project"), said.pop("env"))
        return Left(**{**said, "run_id": RunId(UUID(said["run_id"]))}, scope=scope, phases=phases, artifacts=artifacts)
