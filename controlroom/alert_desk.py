"""What the commands about alerts share: the desk, how things are found by what a person types, and how they are shown."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from controlroom.output import show, show_json
from controlroom.session import session
from ops.alerts import AlertRow, Alerts, MessageRow, RouteRow, RuleRow
from ops.errors import BadInput, DeliveryFailed
from pipelines.units import Seconds

_SECONDS: TypeAdapter[float] = TypeAdapter(Seconds)
MESSAGE_COLUMNS = ("kind", "channel", "state", "attempts", "created_at", "delivered_at", "last_error")


@contextmanager
def desk() -> Iterator[tuple[Alerts, UUID]]:
    """The desk and the project of the settings."""
    with session() as opened:
        yield Alerts(opened.connection), opened.project_id()


def span(text: str) -> timedelta:
    """Raises BadInput where ``text`` is no duration."""
    try:
        return timedelta(seconds=_SECONDS.validate_python(text))
    except ValidationError as error:
        raise BadInput("; ".join(str(each["msg"]) for each in error.errors())) from error


def in_utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=moment.tzinfo or UTC)


def identified(text: str, what: str) -> UUID:
    """Raises BadInput where ``text`` is no id."""
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no id of a {what}; `controlroom alert {what} list` shows them") from error


def matching(pairs: Sequence[str]) -> dict[str, str]:
    """Raises BadInput where one is not KEY=VALUE."""
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise BadInput(f"{', '.join(map(repr, wrong))}: write KEY=VALUE, such as env=prod")
    return dict(pair.split("=", 1) for pair in pairs)


def step(text: str) -> dict[str, object]:
    """``30m:secondary`` or ``30m:pager`` as a step of an escalation.

    Raises:
        BadInput: it is none.
    """
    after, colon, whom = text.partition(":")
    if not colon or not whom:
        raise BadInput(f"{text!r} is no step of an escalation; write DURATION:secondary or DURATION:CHANNEL")
    minutes = span(after) / timedelta(minutes=1)
    return {"after_minutes": minutes, **({"to": whom} if whom == "secondary" else {"channels": [whom]})}


def steps(route: RouteRow) -> str:
    """``30 min secondary, 60 min pager``."""
    whom = [each.get("to") or ", ".join(map(str, _list(each.get("channels")))) for each in route.escalation]
    return ", ".join(f"{each['after_minutes']:g} min {who}" for each, who in zip(route.escalation, whom, strict=True))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def asks(rule: RuleRow) -> str:
    """A rule in words: ``avg score < 70 within 1:00:00, 3 in a row, in prod``."""
    of = "" if rule.aggregate == "last" else f"{rule.aggregate} "
    words = [f"{of}{rule.signal} {rule.comparison} {rule.threshold:g}" + (f" within {rule.within}" if of else "")]
    words += [f"{rule.consecutive} in a row"] if rule.consecutive > 1 else []
    words += [f"in {rule.env}"] if rule.env else []
    words += [f"of {each}" for each in (rule.pipeline, rule.dataset) if each]
    return ", ".join(words)


def print_alert(alert: AlertRow, messages: Sequence[MessageRow], as_json: bool) -> None:
    if as_json:
        show_json({**vars(alert), "messages": [vars(each) for each in messages]})
        return
    typer.echo(f"{alert.title}\n{alert.said}\n")
    facts = {
        "alert": alert.alert_id, "state": alert.state, "severity": alert.severity,
        "place": f"{alert.org}/{alert.project} {alert.env} {alert.group_key}", "rule": alert.rule,
        "run": alert.run_id, "opened": f"{alert.opened_at:%Y-%m-%d %H:%M:%S} UTC",
        "acknowledged by": alert.acknowledged_by,
        "next asked": alert.escalates_at and f"{alert.escalates_at:%Y-%m-%d %H:%M:%S} UTC",
    }  # fmt: skip
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<16} {value}")
    typer.echo("")
    show([vars(each) for each in messages], MESSAGE_COLUMNS, False)


def await_message(alerts: Alerts, message_id: UUID, wait_seconds: float) -> None:
    """Waits until a message is delivered.

    Raises:
        DeliveryFailed: it was not in time, with what the channel said.
    """
    until = time.monotonic() + wait_seconds
    while True:
        row = alerts.message(message_id)
        if row.state == "delivered":
            typer.echo(f"delivered to {row.channel}")
            return
        if time.monotonic() > until:
            why = row.last_error or "nobody has taken it up: is a steward running? `controlroom doctor` says"
            raise DeliveryFailed(f"channel {row.channel} has not taken the message in {wait_seconds:g} s: {why}")
        time.sleep(0.2)
