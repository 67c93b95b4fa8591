"""``run verify``: a finished run's work done again here and now, by no executor."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compute.again import Again
from compute.phase_work import Places
from ops.database import connect, database_url
from ops.errors import IllegalTransition
from ops.model import Fingerprint, RunId, RunStatus, Scope
from ops.reads import Reads
from ops.secrets import SecretStore
from ops.settings import Settings
from ops.verification import Left, LeftArtifact, LeftPhase
from pipelines.verification import Finding


@dataclass(frozen=True)
class VerifyReport:
    """All comparisons of one run."""

    run_id: RunId
    findings: Sequence[Finding]

    @property
    def ok(self) -> bool:
        return bool(self.findings) and all(finding.ok for finding in self.findings)


def verify_run(settings: Settings, run_id: RunId) -> VerifyReport:
    """Verifies a run that succeeded.

    Raises:
        NotFound: no such run.
        IllegalTransition: it has not succeeded.
    """
    url = database_url(settings)
    places = Places.of(settings, url)
    with connect(url, autocommit=True) as connection:
        left = _left(Reads(connection), run_id)
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch:
        again = Again(left, places, SecretStore(places.home), Path(scratch))
        return VerifyReport(run_id, list(again.findings()))


def _left(reads: Reads, run_id: RunId) -> Left:
    run = reads.run(run_id)
    if run.status is not RunStatus.SUCCEEDED:
        raise IllegalTransition(f"run {run_id} is {run.status}; only a run that succeeded can be verified")
    results, effects = reads.phase_results(run_id), reads.phase_effects(run_id)
    return Left(
        run_id=run_id,
        scope=Scope(run.org, run.project, run.env),
        pipeline=run.pipeline,
        git_sha=run.git_sha,
        params=run.params,
        spec=run.spec,
        input_manifest=run.input_manifest,
        phases=[
            LeftPhase(
                row.name,
                row.kind,
                Fingerprint(row.output_fingerprint) if row.output_fingerprint else None,
                results[row.name],
                effects[row.name],
            )
            for row in reads.phases(run_id)
        ],
        artifacts=[LeftArtifact(each.name, each.uri, each.sha256) for each in reads.artifacts(run_id)],
    )
