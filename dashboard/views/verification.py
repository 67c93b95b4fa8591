"""Runs that verify others: what they compared, and what is known of the run that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.views.words import ago
from ops.model import RunId, RunStatus
from ops.verification import VerificationRow
from ops.views import Json, PhaseRow


@dataclass(frozen=True)
class Verified:
    """The newest verification of a run, in words."""

    tone: str
    word: str
    said: str
    run_id: RunId


@dataclass(frozen=True)
class FindingLine:
    """One comparison."""

    what: str
    state: str
    tone: str
    expected: str
    seen: str


def verified(row: VerificationRow | None, now: datetime) -> Verified | None:
    """None where nobody has verified the run."""
    if row is None:
        return None
    when = ago(row.finished_at or row.created_at, now)
    match row.status:
        case RunStatus.SUCCEEDED:
            return Verified("good", "verified", f"Carried out again {when}, with the same fingerprints.", row.run_id)
        case RunStatus.FAILED if row.error_code == "NOT_REPRODUCED":
            return Verified("bad", "not reproduced", f"{when}: {row.error_message}", row.run_id)
        case RunStatus.FAILED | RunStatus.CANCELED:
            why = f"{row.error_message} ({row.error_code})" if row.error_code else "it was canceled"
            return Verified("waits", "not verified", f"The verification of {when} came to no end: {why}", row.run_id)
        case _:
            return Verified("busy", "being verified", f"Asked for {when}.", row.run_id)


def finding_lines(phases: Sequence[PhaseRow]) -> tuple[list[FindingLine], int]:
    """What a verification compared, and how many comparisons more there were; of one that found differences those."""
    for phase in phases:
        for said in ((phase.metrics or {}).get("verification"), phase.error_data):
            if isinstance(said, Mapping) and isinstance(found := said.get("findings"), list):
                lines = [_line(each) for each in found if isinstance(each, Mapping)]
                compared = said.get("compared")
                return lines, max(0, compared - len(lines)) if isinstance(compared, int) else 0
    return [], 0


def _line(finding: Json) -> FindingLine:
    ok = finding.get("ok") is True
    return FindingLine(
        str(finding.get("what", "")),
        "the same" if ok else "differs",
        "good" if ok else "bad",
        str(finding.get("expected", "")),
        str(finding.get("seen", "")),
    )
