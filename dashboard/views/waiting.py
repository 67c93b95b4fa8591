"""Why a run waits, or whose it is: each reason with where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from dashboard.views.words import count, span
from ops.limits import Waiting
from ops.model import RunStatus
from ops.run_reads import StaleInput, Standing
from ops.views import RunDetail

# What ops.why_waiting calls a reason → how it looks, and the page that says more.
LOOKS: Mapping[str, tuple[str, str, str]] = {
    "backoff": ("waits", "", ""),
    "nobody": ("bad", "fleet", "Fleet"),
    "capability": ("bad", "fleet", "Fleet"),
    "cap": ("bad", "caps", "Caps"),
    "pool": ("waits", "caps?part=Pools", "Pools"),
    "queue": ("quiet", "runs?status=queued", "Runs"),
}


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
    waiting: Waiting | None,
    stale: Sequence[StaleInput],
) -> list[Reason]:
    """What holds it up; of a run that ended nothing. What a queued one waits for is decided in Postgres alone."""
    if run.status.terminal:
        return []
    found = [_owned(run, standing)] if run.status is not RunStatus.QUEUED else [_queued(waiting)] if waiting else []
    if standing.lost_leases:
        times = count(standing.lost_leases, "time")
        found.append(
            Reason("waits", f"Its lease was lost {times}; after {standing.max_lost_leases} it fails.", "fleet", "Fleet")
        )
    return found + [
        Reason(
            "bad" if each.state == "error" else "waits",
            f"{each.table}, which it reads, is {span(timedelta(seconds=each.lag_seconds))} old, older than it may be.",
            f"dataset?{urlencode({'project': f'{run.org}/{run.project}', 'env': run.env, 'table': each.table})}",
            "the table",
        )
        for each in stale
    ]


def _queued(waiting: Waiting) -> Reason:
    tone, link, name = LOOKS[waiting.reason]
    return Reason(tone, f"{waiting.said[:1].upper()}{waiting.said[1:]}.", link, name)


def _owned(run: RunDetail, standing: Standing) -> Reason:
    owner = standing.executor or "an executor that is not known here"
    if run.lease_expires_at is None:
        return Reason("quiet", f"{owner} has just let go of it.")
    left: timedelta = run.lease_expires_at - standing.asked_at
    link = f"runs?executor={run.executor_id}" if run.executor_id else ""
    if left <= timedelta():
        said = f"{owner} held the lease and did not renew it; it ended {span(-left)} ago. The steward queues the run again."
        return Reason("bad", said, link, "its runs")
    asked = ", and is asked to stop" if run.cancel_requested else ""
    return Reason("quiet", f"{owner} holds lease {run.lease_token} for {span(left)} more{asked}.", link, "its runs")
