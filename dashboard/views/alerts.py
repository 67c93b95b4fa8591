"""Alerts, messages, rules and routes as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.views.runs import Tile
from dashboard.views.words import ago, exact, span
from ops.alerts import AlertRow, MessageRow, RouteRow, RuleRow, SilenceRow

SEVERITIES: Mapping[str, str] = {"critical": "bad", "warning": "waits", "info": "busy"}
DELIVERIES: Mapping[str, str] = {"delivered": "good", "pending": "waits", "failed": "bad", "dropped": "quiet"}
MUTES: Mapping[str, timedelta] = {
    "1 hour": timedelta(hours=1),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
    "1 week": timedelta(days=7),
}


@dataclass(frozen=True)
class AlertLine:
    title: str
    said: str
    severity: str
    tone: str
    state: str
    where: str
    when: str
    exact: str
    run_id: str
    next: str
    state_exact: str


@dataclass(frozen=True)
class MessageLine:
    title: str
    kind: str
    channel: str
    state: str
    tone: str
    when: str
    exact: str
    attempts: int
    error: str


def alert_tiles(rows: Sequence[AlertRow]) -> list[Tile]:
    """How many are open of each severity, and how many somebody sees to."""
    open_ = [row for row in rows if row.state == "open"]
    numbers = {severity: sum(row.severity == severity for row in open_) for severity in SEVERITIES}
    taken = sum(row.state == "acknowledged" for row in rows)
    return [
        *(Tile(name, number, SEVERITIES[name] if number else "quiet") for name, number in numbers.items()),
        Tile("acknowledged", taken, "good" if taken else "quiet"),
    ]


def ranked(rows: Sequence[AlertRow]) -> list[AlertRow]:
    """What nobody sees to first, then what is worse; the latest first among equals, as they come."""
    states, severities = ("open", "acknowledged", "resolved"), tuple(SEVERITIES)
    return sorted(rows, key=lambda row: (states.index(row.state), severities.index(row.severity)))


def alert_line(row: AlertRow, now: datetime) -> AlertLine:
    since = row.resolved_at or row.acknowledged_at
    return AlertLine(
        row.title,
        row.said,
        row.severity,
        "quiet" if row.state == "resolved" else SEVERITIES[row.severity],
        _state(row, now),
        f"{row.org}/{row.project}/{row.env}",
        ago(row.opened_at, now),
        exact(row.opened_at),
        str(row.run_id or ""),
        _next(row, now),
        exact(since) if since else "",
    )


def _state(row: AlertRow, now: datetime) -> str:
    if row.resolved_at is not None:
        return f"resolved {ago(row.resolved_at, now)}"
    if row.acknowledged_at is not None:
        return f"{row.acknowledged_by or 'somebody'} sees to it since {ago(row.acknowledged_at, now)}"
    return "nobody sees to it"


def _next(row: AlertRow, now: datetime) -> str:
    if row.state != "open" or row.escalates_at is None:
        return ""
    wait = row.escalates_at - now
    return f"the next owner is asked in {span(wait)}" if wait > timedelta(0) else "the next owner is being asked"


def message_lines(rows: Sequence[MessageRow], now: datetime) -> list[MessageLine]:
    return [
        MessageLine(
            row.title, row.kind, row.channel, row.state, DELIVERIES[row.state],
            ago(row.delivered_at or row.created_at, now), exact(row.delivered_at or row.created_at), row.attempts,
            row.last_error,
        )
        for row in rows
    ]  # fmt: skip


def rule_words(row: RuleRow) -> str:
    """``max of failed_checks over 1 h > 3, 2 times in a row``."""
    over = "" if row.aggregate == "last" else f"{row.aggregate} of "
    within = "" if row.aggregate == "last" else f" over {span(row.within)}"
    times = "" if row.consecutive == 1 else f", {row.consecutive} times in a row"
    return f"{over}{row.signal}{within} {row.comparison} {row.threshold:g}{times}"


def rule_place(row: RuleRow) -> str:
    """Where it looks."""
    narrowed = [each for each in (row.env, row.pipeline, row.dataset) if each]
    return f"{row.org}/{row.project}{': ' if narrowed else ''}{', '.join(narrowed)}"


def route_match(row: RouteRow) -> str:
    return ", ".join(f"{name} = {value}" for name, value in row.match.items()) or "everything"


def escalation_words(row: RouteRow) -> str:
    """``after 30 min secondary``."""
    steps = [(each.get("after_minutes"), each.get("to"), each.get("channels")) for each in row.escalation]
    said = [
        f"after {minutes} min {to or (', '.join(map(str, channels)) if isinstance(channels, list) else '')}"
        for minutes, to, channels in steps
    ]
    return "; ".join(said) or "nobody further"


def silence_words(row: SilenceRow) -> str:
    """What is silent, as a choice."""
    what = row.rule or "everything"
    about = f" about {row.group_key}" if row.group_key else ""
    return f"{what}{about} in {row.org}/{row.project}{f'/{row.env}' if row.env else ''}"
