"""The CAPS report: what we say that we can, beside what probes have seen. A tick without evidence is a claim."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from controlroom.session import Session
from ops.errors import StackFailed
from ops.watching import CapabilityRow

STAGES = ("mvp", "v1", "v2")
_MARKS = {"planned": "⏳", "not planned": "❌"}
_POLL_SECONDS = 0.3


def probe(session: Session, seconds: float) -> None:
    """Runs the probes now and writes down what they saw.

    Raises:
        StackFailed: no executor carried their run out in time; that is written down too.
    """
    from compute.probes.work import give_up, judge, submit

    run_id = submit(session.connection, session.settings, f"probes/{uuid4()}")
    deadline = time.monotonic() + seconds
    while not (run := session.reads.run(run_id)).status.terminal:
        if time.monotonic() > deadline:
            give_up(session.connection, run)
            raise StackFailed(
                f"run {run_id} of the probes has not ended within {seconds:g} s; `controlroom doctor` says why"
            )
        time.sleep(_POLL_SECONDS)
    judge(session.connection, session.settings, run)


def cell(row: CapabilityRow, said: str, stale: timedelta) -> str:
    """What is shown for one stage."""
    if said != "supported":
        return _MARKS[said]
    match row.standing(stale, datetime.now(UTC)):
        case "proven":
            return "✅"
        case "failed":
            return "❌ (probe failed)"
        case what:
            return f"✅ ({what})"


def matrix(rows: Sequence[CapabilityRow], stale: timedelta) -> list[dict[str, object]]:
    """The report as rows for JSON."""
    return [
        {
            **{name: getattr(row, name) for name in ("capability", "databricks", "target", *STAGES)},
            "shown": {stage: cell(row, getattr(row, stage), stale) for stage in STAGES},
            "standing": row.standing(stale, datetime.now(UTC)),
            "probe": row.probe,
            "evidence": row.evidence,
            "proven_at": row.proven_at,
            "failure": row.failure,
            "missing": row.missing,
        }
        for row in rows
    ]


def markdown(rows: Sequence[CapabilityRow], stale: timedelta) -> str:
    """The report as a table of Markdown, with its evidence below."""
    head = ("Capability", "Databricks", "Our Open Stack Target", "MVP", "V1", "V2", "Evidence")
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        cells = [cell(row, getattr(row, stage), stale) for stage in STAGES]
        lines.append(_line([row.capability, row.databricks, row.target, *cells, _evidence(row)]))
    note = (
        "✅ proven by a probe on this installation · ✅ (claimed) nobody has proven it here · "
        f"✅ (stale) proven more than {stale.days} days ago · ⏳ planned · ❌ not planned"
    )
    return "\n".join([*lines, "", note])


def _evidence(row: CapabilityRow) -> str:
    if row.failure is not None:
        return f"failed: {row.failure}"
    if row.proven_at is None or row.evidence is None:
        return f"missing: {row.missing}" if row.missing else ""
    evidence = row.evidence
    return f"{evidence['said']} · {evidence['test']} · run {evidence['run']} · {row.proven_at:%Y-%m-%d %H:%M} UTC"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} |"
