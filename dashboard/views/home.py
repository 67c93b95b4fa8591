"""What needs somebody now, worst first, each in one sentence with one place to go; and what is due next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from dashboard.views.alerts import SEVERITIES
from dashboard.views.caps import cap_lines
from dashboard.views.fleet import state_of
from dashboard.views.parts import is_silent
from dashboard.views.pipelines import pipeline_link, schedule_kind
from dashboard.views.words import ago, count, exact, span
from ops.alerts import AlertRow
from ops.backfills import BackfillRow
from ops.cap_reads import CapStanding
from ops.fleet_reads import FleetExecutor, FleetLease
from ops.home_reads import Parts
from ops.schedules import FreshnessRow, ScheduleRow
from ops.views import RunDetail

SOON = 8
# Ended leases that are told one by one; more of them have one cause.
LOST = 3
# A list that nobody reads to its end tells nothing; the worst stand first.
MOST = 20


@dataclass(frozen=True)
class Need:
    """``tone`` bad comes before waits; ``go`` is the address of what is to be done, named ``act``, empty where no page does it;
    ``exact`` is the moment behind ``why``, where that tells of one."""

    tone: str
    said: str
    why: str
    go: str
    act: str
    exact: str = ""


@dataclass(frozen=True)
class Due:
    name: str
    link: str
    where: str
    kind: str
    when: str
    exact: str


def alert_needs(rows: Sequence[AlertRow], now: datetime) -> list[Need]:
    """Alerts that nobody sees to and that are not muted; several of one pipeline or table are one need, the worst of them."""
    found: dict[tuple[str, str, str, str], list[AlertRow]] = {}
    for row in rows:
        if row.state == "open" and row.muted_until is None:
            found.setdefault(_subject(row), []).append(row)
    return [
        _alert_need(sorted(group, key=lambda row: list(SEVERITIES).index(row.severity)), now)
        for group in found.values()
    ]


def _alert_need(group: Sequence[AlertRow], now: datetime) -> Need:
    """``group``: the worst first."""
    row, *others = group
    more = f" · and {count(len(others), 'more alert')} of it" if others else ""
    return Need(
        SEVERITIES[row.severity],
        row.title,
        f"{row.said} · {ago(row.opened_at, now)}".strip(" ·") + more,
        f"alerts?alert={row.alert_id}",
        "See to it",
        exact(row.opened_at),
    )


def _subject(row: AlertRow) -> tuple[str, str, str, str]:
    """A pipeline or a table of an environment; what is about a whole project has nothing but its rule in common with others."""
    # A table has an alert of its own for being far too old (ops.judge_standing).
    about = row.rule if row.group_key == "project" else row.group_key.removesuffix(" (error)")
    return (row.org, row.project, row.env, about)


def failure_needs(runs: Sequence[RunDetail], told: Sequence[AlertRow], now: datetime) -> list[Need]:
    """Pipelines that fail, but for those of which an alert tells already, whoever sees to it."""
    known = {_subject(row) for row in told}
    return [
        Need(
            "bad",
            f"{run.pipeline} fails in {run.env}",
            f"{run.error_message or 'no cause is known'} ({run.error_code}) · {ago(run.finished_at or run.created_at, now)}",
            f"run?id={run.run_id}",
            "Open the run",
            exact(run.finished_at or run.created_at),
        )
        for run in runs
        if (run.org, run.project, run.env, run.pipeline) not in known
    ]


def freshness_needs(rows: Sequence[FreshnessRow], told: Sequence[AlertRow]) -> list[Need]:
    """Tables that are older than they may be, but for those of which an alert tells already, whoever sees to it."""
    known = {_subject(row) for row in told}
    return [
        Need(
            "bad" if row.state == "error" else "waits",
            f"{row.dataset} is {'too old' if row.state == 'error' else 'getting old'} in {row.env}",
            f"{span(timedelta(seconds=row.lag_seconds or 0.0))} behind; it may be {span(timedelta(seconds=row.error_seconds))}",
            "dataset?" + urlencode({"project": f"{row.org}/{row.project}", "env": row.env, "table": row.dataset}),
            "Open the table",
        )
        for row in rows
        if row.state in ("warn", "error") and (row.org, row.project, row.env, row.dataset) not in known
    ]


def steward_needs(parts: Parts, patience: timedelta) -> list[Need]:
    """Without a steward nothing is scheduled, judged or told, so that nothing below would be either."""
    if not is_silent(parts, patience):
        return []
    heard = (
        f"its last round was {span(parts.asked_at - parts.steward_at)} ago"
        if parts.steward_at
        else "it never went a round"
    )
    return [
        Need(
            "bad",
            "The steward is silent",
            f"{heard}; no schedule starts a run and nobody is told of anything; “controlroom up” starts one",
            "",
            "",
            exact(parts.steward_at) if parts.steward_at else "",
        )
    ]


def fleet_needs(
    executors: Sequence[FleetExecutor], leases: Sequence[FleetLease], queued: int, patience: timedelta, now: datetime
) -> list[Need]:
    """Runs whose executor is gone, executors that fell silent, and a queue that nobody works on."""
    needs = lease_needs([lease for lease in leases if lease.expires_at < now], now)
    states = [state_of(each, patience) for each in executors]
    if "active" not in states:
        waiting = f"{count(queued, 'run')} {'waits' if queued == 1 else 'wait'}" if queued else "nothing waits"
        needs.append(Need("bad" if queued else "waits", "No executor works", waiting, "fleet", "Open the fleet"))
    if silent := states.count("silent"):
        said = f"{count(silent, 'executor')} fell silent"
        needs.append(Need("waits", said, f"not heard of for more than {span(patience)}", "fleet", "Open the fleet"))
    return needs


def lease_needs(over: Sequence[FleetLease], now: datetime) -> list[Need]:
    """``over``: leases that have ended though their runs have not."""
    if len(over) > LOST:
        oldest = min(lease.expires_at for lease in over)
        return [
            Need(
                "bad",
                f"{count(len(over), 'run')} have lost their executors",
                f"the first lease ended {span(now - oldest)} ago; the steward gives them to other ones",
                "fleet",
                "Open the fleet",
                exact(oldest),
            )
        ]
    return [
        Need(
            "bad",
            f"{lease.pipeline} has lost its executor",
            f"the lease ended {span(now - lease.expires_at)} ago; the steward gives the run to another one",
            f"run?id={lease.run_id}",
            "Open the run",
            exact(lease.expires_at),
        )
        for lease in over
    ]


def cap_needs(rows: Sequence[CapStanding]) -> list[Need]:
    """Caps that are used up, and those that will be before their period ends."""
    return [
        Need(
            line.tone,
            f"Cap {line.key} {'' if line.state.startswith('will') else 'is '}{line.state}",
            f"{line.used} of {line.amount} in {line.where}; {line.forecast}",
            "caps",
            "Open the caps",
        )
        for line in cap_lines(rows)
        if line.tone in ("bad", "waits")
    ]


def backfill_needs(paused: Sequence[BackfillRow]) -> list[Need]:
    """Backfills that stand still until somebody resumes them."""
    return [
        Need(
            "waits",
            f"A backfill of {row.pipeline} is paused in {row.env}",
            f"{row.succeeded:,} of {count(row.chunks, 'chunk')} done"
            + (f", {row.failed:,} failed" if row.failed else "")
            + (f"; {row.reason}" if row.reason else ""),
            pipeline_link(row.org, row.project, row.pipeline),
            "Open the pipeline",
        )
        for row in paused
    ]


def ranked_needs(needs: Sequence[Need]) -> list[Need]:
    """What is bad first; among equals in the order in which they come. Of many the worst, and how many others there are."""
    ranked = sorted(needs, key=lambda need: ("bad", "waits").index(need.tone) if need.tone in ("bad", "waits") else 2)
    if len(ranked) <= MOST:
        return ranked
    others = ranked[MOST:]
    return [
        *ranked[:MOST],
        Need(others[0].tone, f"And {len(others)} more", "they are told when these are seen to", "", ""),
    ]


def due_next(rows: Sequence[ScheduleRow], now: datetime) -> list[Due]:
    """The schedules whose clock strikes next."""
    timed = sorted(
        (
            (row.due_at or row.next_at, row)
            for row in rows
            if not row.paused and (row.due_at or row.next_at) is not None
        ),
        key=lambda each: (each[0], each[1].slug),
    )
    return [
        Due(
            row.pipeline,
            pipeline_link(row.org, row.project, row.pipeline),
            f"{row.org}/{row.project}/{row.env}",
            schedule_kind(row),
            f"in {span(at - now)}" if at > now else "now",
            exact(at),
        )
        for at, row in timed[:SOON]
        if at is not None
    ]
