"""Verify: what a run did, done again aside, gives the same fingerprints – or the phase fails with what differs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from blake3 import blake3

from ops.errors import NotReproduced
from ops.model import Fingerprint, PhaseResult
from pipelines.handler import Context
from pipelines.spec import Phase
from pipelines.verification import Finding, VerifyPhase

NAMED = 3
KEPT = 50


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Compares phase by phase and artifact by artifact.

    Returns:
        ``metrics.verification``: the run, how much of it was compared, and the first fifty comparisons; all of them are the
        artifact ``verify.findings.json``.

    Raises:
        NotReproduced: something differs, or could not be made again; ``data.findings`` has the first fifty of them.
        ControlRoomError: the work itself could not be done.
    """
    assert isinstance(phase, VerifyPhase)
    assert ctx.verification is not None
    work = ctx.verification
    found: list[Finding] = []
    ctx.progress(0, work.total)
    for finding in work.findings():
        found.append(finding)
        ctx.progress(len(found), work.total, finding.what)
    if differing := [finding for finding in found if not finding.ok]:
        raise _difference(str(work.run_id), found, differing)
    said = [vars(finding) for finding in found]
    text = json.dumps(said, indent=1).encode()
    return PhaseResult(
        rows_in=0,
        rows_out=0,
        output_fingerprint=Fingerprint(f"v1:blake3:{blake3(text).hexdigest()}"),
        metrics={"verification": {"run": str(work.run_id), "compared": len(found), "findings": said[:KEPT]}},
        artifacts=(ctx.artifacts.put_bytes("verify.findings.json", "findings", text, "application/json"),),
    )


def _difference(run_id: str, found: Sequence[Finding], differing: Sequence[Finding]) -> NotReproduced:
    named = "; ".join(f"{one.what} gave {one.seen} in place of {one.expected}" for one in differing[:NAMED])
    more = f"; and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
    return NotReproduced(
        f"{len(differing)} of {len(found)} comparisons of run {run_id} differ: {named}{more}",
        {"run": run_id, "compared": len(found), "findings": [vars(one) for one in differing[:KEPT]]},
    )
