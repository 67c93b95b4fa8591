"""Why a run waits, or whose it is: each reason with where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from dashboard.views.words import count, span
from ops.model import RunStatus
from ops.run_reads import CapOnRuns, Hands, StaleInput, Standing
from ops.views import RunDetail

# As far as the queue is counted.
MANY = 100


@dataclass(frozen=True)
class Reason:
    """``link`` is the address of a page that says more; empty where there is none."""

    tone: str
    said: str
    link: str = ""
    link_name: str = ""


def reasons(
    run: RunDetail,
    standing: Standing,
    hands: Hands,
    caps: Sequence[CapOnRuns],
    stale: Sequence[StaleInput],
) -> list[Reason]:
    """What holds it up, the hardest first; of a run that ended nothing."""
    if run.status.terminal:
        return []
    found = _queued(run, standing, hands, caps) if run.status is RunStatus.QUEUED else [_owned(run, standing)]
    if standing.lost_leases:
        times = count(standing.lost_leases, "time")
        found.append(
            Reason("waits", f"Its lease was lost {times}; after {standing.max_lost_leases} it fails.", "fleet", "Fleet")
        )
    return found + [
        Reason(
            "bad" if each.state == "error" else "waits",
            f"{each.table}, which it reads, is {span(timedelta(seconds=each.lag_seconds))} old, older than it may be.",
            f"data?text={each.table}",
            "the table",
        )
        for each in stale
    ]


def _queued(run: RunDetail, standing: Standing, hands: Hands, caps: Sequence[CapOnRuns]) -> list[Reason]:
    found = []
    if run.available_at > standing.asked_at:
        wait = span(run.available_at - standing.asked_at)
        found.append(Reason("waits", f"It pauses {wait} after a failure, before attempt {run.attempt + 1}."))
    found += [
        Reason(
            "bad",
            f"Cap {cap.key} is used up: {_number(cap.used)} of {_number(cap.amount)} runs ({cap.period}).",
            "caps",
            "Caps",
        )
        for cap in caps
        if cap.used + 1 > cap.amount
    ]
    needs = f" that can do {', '.join(standing.capabilities)}" if standing.capabilities else ""
    if not hands.executors:
        found.append(Reason("bad", f"No executor{needs} was heard of lately.", "fleet", "Fleet"))
    elif hands.used >= hands.slots:
        executors = count(hands.executors, "executor")
        found.append(
            Reason("waits", f"All {count(hands.slots, 'slot')} of {executors}{needs} are taken.", "fleet", "Fleet")
        )
    if standing.ahead:
        number = f"At least {MANY}" if standing.ahead >= MANY else str(standing.ahead)
        runs = "queued run" if standing.ahead == 1 else "queued runs"
        verb = "is" if standing.ahead == 1 else "are"
        found.append(Reason("quiet", f"{number} {runs} of the project {verb} older.", "./?status=queued", "Runs"))
    return found or [Reason("good", "Nothing holds it up; the next free slot takes it.")]


def _owned(run: RunDetail, standing: Standing) -> Reason:
    owner = standing.executor or "an executor that is not known here"
    if run.lease_expires_at is None:
        return Reason("quiet", f"{owner} has just let go of it.")
    left: timedelta = run.lease_expires_at - standing.asked_at
    link = f"./?executor={run.executor_id}" if run.executor_id else ""
    if left <= timedelta():
        said = f"{owner} held the lease and did not renew it; it is over since {span(-left)}. The steward queues the run again."
        return Reason("bad", said, link, "its runs")
    asked = ", and is asked to stop" if run.cancel_requested else ""
    return Reason("quiet", f"{owner} holds lease {run.lease_token} for {span(left)} more{asked}.", link, "its runs")


def _number(value: Decimal) -> str:
    return f"{value.normalize():,f}"
