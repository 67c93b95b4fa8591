"""Alerts, messages, rules and routes as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.views.runs import Tile
from dashboard.views.words import ago, exact, span
from ops.alerts import AlertCounts, AlertRow, MessageRow, RouteRow, RuleRow, SilenceRow

SEVERITIES: Mapping[str, str] = {"critical": "bad", "warning": "waits", "info": "busy"}
# What somebody looks for first stands first.
DELIVERIES: Mapping[str, str] = {"failed": "bad", "pending": "waits", "delivered": "good", "dropped": "quiet"}
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
    muted: str


@dataclass(frozen=True)
class MessageLine:
    title: str
    link: str
    kind: str
    channel: str
    state: str
    tone: str
    when: str
    exact: str
    attempts: int
    error: str


def alert_tiles(counts: AlertCounts) -> list[Tile]:
    """How many nobody sees to, of each severity; how many somebody does, and of how many nobody is told."""
    numbers = {"critical": counts.critical, "warning": counts.warning, "info": counts.info}
    return [
        *(Tile(name, number, SEVERITIES[name] if number else "quiet") for name, number in numbers.items()),
        Tile("acknowledged", counts.acknowledged, "good" if counts.acknowledged else "quiet"),
        Tile("muted", counts.muted, "quiet"),
    ]


def left_out(shown: Sequence[AlertRow], counts: AlertCounts, most: int) -> str:
    """What is said below the list where it is not all of them; empty where it is. Nobody counts resolved ones.

    Args:
        most: so many resolved ones are shown.
    """
    over = sum(row.state == "resolved" for row in shown)
    seen, said, command = len(shown) - over, list[str](), "controlroom alert list"
    if seen < counts.unresolved:
        said.append(f"{seen:,} of {counts.unresolved:,} that are not resolved.")
    if over >= most:
        said.append(f"Of those that are resolved the latest {most}.")
        command += " --all"
    return " ".join([*said, f"The others: `{command}`."]) if said else ""


def alert_line(row: AlertRow, now: datetime) -> AlertLine:
    since = row.resolved_at or row.acknowledged_at
    return AlertLine(
        row.title,
        row.said,
        row.severity,
        "quiet" if row.state == "resolved" or row.muted_until else SEVERITIES[row.severity],
        _state(row, now),
        f"{row.org}/{row.project}/{row.env}",
        ago(row.opened_at, now),
        exact(row.opened_at),
        str(row.run_id or ""),
        _next(row, now),
        exact(since) if since else "",
        f"muted until {exact(row.muted_until, seconds=False)}" if row.muted_until else "",
    )


def _state(row: AlertRow, now: datetime) -> str:
    if row.resolved_at is not None:
        return f"resolved {ago(row.resolved_at, now)}"
    if row.acknowledged_at is not None:
        return f"seen to by {row.acknowledged_by or 'somebody'}, {ago(row.acknowledged_at, now)}"
    return "nobody sees to it"


def _next(row: AlertRow, now: datetime) -> str:
    # While it is muted nobody is asked, however late it is.
    if row.state != "open" or row.escalates_at is None or row.muted_until:
        return ""
    wait = row.escalates_at - now
    return f"the next owner is asked in {span(wait)}" if wait > timedelta(0) else "the next owner is being asked"


def message_lines(rows: Sequence[MessageRow], now: datetime) -> list[MessageLine]:
    return [
        MessageLine(
            row.title, f"alerts?alert={row.alert_id}" if row.alert_id else "", row.kind, row.channel, row.state,
            DELIVERIES[row.state], ago(row.delivered_at or row.created_at, now), exact(row.delivered_at or row.created_at),
            row.attempts, row.last_error,
        )
        for row in rows
    ]  # fmt: skip


def message_place(row: MessageRow) -> str:
    """Where a page of the ledger ends, as it stands in an address."""
    return f"{row.created_at.isoformat()}_{row.notification_id}"


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
