"""Whether a run made what another one made from the same: its fingerprints beside those of runs of the same definition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.views.words import count
from ops.model import PhaseStatus
from ops.run_reads import Twin
from ops.views import PhaseRow, RunDetail


@dataclass(frozen=True)
class Badge:
    """``run_id`` is the run that it was compared with; empty where there is none."""

    tone: str
    word: str
    said: str
    run_id: str
    spec: str
    inputs: str
    output: str


def badge(run: RunDetail, phases: Sequence[PhaseRow], twins: Sequence[Twin]) -> Badge:
    """Compared is with the newest run that read the same in every phase, else with that which did in most."""
    marked = [each for each in phases if each.input_fingerprint and each.output_fingerprint]
    of = count(len(marked), "phase")
    prints = (run.spec_sha256[:12], _together([each.input_fingerprint for each in marked]), _last(phases))
    if not marked:
        return Badge("quiet", "nothing to compare", "No phase has fingerprints yet.", "", *prints)
    best = max(twins, key=lambda twin: (twin.same_inputs, twin.created_at), default=None)
    if best is None:
        return Badge(
            "quiet", "not compared", f"No earlier run of this definition read the same in any of {of}.", "", *prints
        )
    whole = best.same_inputs == len(marked)
    if best.differs:
        names = ", ".join(best.differs[:3]) + (f" and {len(best.differs) - 3} more" if len(best.differs) > 3 else "")
        said = f"Read the same and made something else in {names}: something that is not pinned decides there."
        return Badge("bad", "differs from", said, str(best.run_id), *prints)
    if whole:
        return Badge("good", "matches", f"Read the same and made the same in all of {of}.", str(best.run_id), *prints)
    said = (
        f"Made the same in the {best.same_inputs} of {of} in which it read the same; elsewhere its inputs were others."
    )
    return Badge("good", "matches in part", said, str(best.run_id), *prints)


def _together(prints: Sequence[str | None]) -> str:
    return f"{len(set(prints))} in {count(len(prints), 'phase')}" if prints else "–"


def _last(phases: Sequence[PhaseRow]) -> str:
    done = [each.output_fingerprint for each in phases if each.status in (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)]
    found = [each for each in done if each]
    return found[-1].removeprefix("v1:blake3:")[:12] if found else "–"
