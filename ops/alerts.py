"""Alerts: what people see and do (``Alerts``), and what the steward and the courier do (``Messages``).

The SQL is in ``ops/queries/alerts.sql``; who may do what is decided by the functions that it calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from psycopg.types.json import Jsonb

from ops.calls import Calls
from ops.errors import NotFound

Json = Mapping[str, object]
# As many as there will ever be: a rule has one at a time for each of its groups.
UNRESOLVED = 10_000
# So many messages of a project are looked through for those in one state.
LOOKED_THROUGH = 1000
# Behind it is every message: a place that is always there is one that an index is read from, whatever plan is kept.
_LATEST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True)
class AlertRow:
    """One firing of a rule.

    Attributes:
        escalates_at: when the next owner is asked; None where nobody further is.
        muted_until: when the last of the silences ends that hold its messages back now; None where none does, and of what
            is resolved.
    """

    alert_id: UUID
    org: str
    project: str
    env: str
    rule: str
    group_key: str
    state: str
    severity: str
    title: str
    said: str
    value: float
    run_id: UUID | None
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    escalation_level: int
    escalates_at: datetime | None
    muted_until: datetime | None = None


@dataclass(frozen=True)
class AlertCounts:
    """How many are not resolved: open ones by severity, acknowledged ones, and open ones that a silence holds back."""

    critical: int
    warning: int
    info: int
    acknowledged: int
    muted: int

    @property
    def unresolved(self) -> int:
        return self.critical + self.warning + self.info + self.acknowledged + self.muted


@dataclass(frozen=True)
class MessageRow:
    """A line of the ledger of messages; ``batch_id`` names the message that it went out in."""

    notification_id: UUID
    batch_id: UUID | None
    alert_id: UUID | None
    kind: str
    channel: str
    state: str
    severity: str
    title: str
    attempts: int
    created_at: datetime
    due_at: datetime
    delivered_at: datetime | None
    last_error: str
    escalation_level: int


@dataclass(frozen=True)
class RuleRow:
    org: str
    project: str
    name: str
    signal: str
    comparison: str
    threshold: float
    clear_threshold: float | None
    aggregate: str
    within: timedelta
    consecutive: int
    env: str | None
    pipeline: str | None
    dataset: str | None
    group_by: str
    severity: str
    tag: str
    area: str
    enabled: bool
    built_in: bool
    description: str


@dataclass(frozen=True)
class ChannelRow:
    """Where messages go: a reference to the address, and whose it is."""

    name: str
    secret: str
    owner: str | None
    description: str


@dataclass(frozen=True)
class RouteRow:
    """A row of the routing matrix."""

    area: str
    match: Json
    primary_owner: str
    secondary_owner: str
    channels: Sequence[str]
    escalation: Sequence[Json]
    surface: str
    priority: int


@dataclass(frozen=True)
class SilenceRow:
    silence_id: UUID
    org: str
    project: str
    kind: str
    env: str | None
    rule: str | None
    group_key: str | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str | None


@dataclass(frozen=True)
class Message:
    """What is to be sent of one alert. Messages of one ``batch_id`` go out as one, again and again under that id."""

    notification_id: UUID
    batch_id: UUID
    channel: str
    secret: str | None
    alert_id: UUID | None
    run_id: UUID | None
    kind: str
    severity: str
    title: str
    body: str
    attempts: int
    created_at: datetime


class Messages(Calls):
    """The back end's calls."""

    file = "alerts"

    def judge_standing(self) -> int:
        """Asks the rules over datasets and queues; how many alerts they opened."""
        return cast(int, self._value("judge_standing"))

    def escalate(self) -> int:
        """Takes what nobody acknowledged in time one step further; how many alerts that were."""
        return cast(int, self._value("escalate_alerts"))

    def claim(self, lease_seconds: float) -> list[Message]:
        """One batch to be sent, nobody else's until the lease ends; empty where there is nothing to do."""
        return [Message(**row) for row in self._rows("claim_messages", lease_seconds=lease_seconds)]

    def delivered(self, batch_id: UUID) -> None:
        self._do("message_delivered", batch_id=batch_id)

    def refused(self, batch_id: UUID, attempts: int, error: str) -> None:
        """It is tried again, later and later; ``error`` is shown to people. Nothing where another has taken it meanwhile."""
        self._do("message_refused", batch_id=batch_id, attempts=attempts, error=error)


class Alerts(Calls):
    """What people ask and do, as whoever the connection's role and claims say."""

    file = "alerts"

    def alerts(self, everything: bool = False, limit: int = 100) -> list[AlertRow]:
        """The latest first; resolved ones only with ``everything``, and where unresolved ones leave room for them."""
        rows = self.ranked(UNRESOLVED, limit if everything else 0)
        # By state first for the cut alone.
        latest = sorted(rows, key=lambda row: (row.state != "resolved", row.opened_at, row.alert_id), reverse=True)
        return sorted(latest[:limit], key=lambda row: (row.opened_at, row.alert_id), reverse=True)

    def ranked(self, unresolved: int, resolved: int = 0, alert_id: UUID | None = None) -> list[AlertRow]:
        """Unresolved ones as somebody goes through them: what nobody sees to and nothing silences first, then what is worse,
        then the latest. Behind them the latest resolved ones.

        Args:
            alert_id: of one that is among them in any case, where it is the caller's.
        """
        rows = self._rows("alerts", unresolved=unresolved, resolved=resolved, alert_id=alert_id)
        return [AlertRow(**row) for row in rows]

    def counts(self) -> AlertCounts:
        """Of all that is not resolved."""
        [row] = self._rows("alert_counts")
        return AlertCounts(**row)

    def find(self, text: str) -> AlertRow:
        """By its id, or by the beginning or the end of it.

        Raises:
            NotFound: no alert, or more than one.
        """
        found = self._rows("find_alerts", text=text)
        if len(found) != 1:
            what = "no alert" if not found else "more than one alert"
            raise NotFound(f"there is {what} with the id {text}; `controlroom alert list` shows them")
        [row] = self.ranked(0, alert_id=found[0]["id"])
        return row

    def message(self, notification_id: UUID) -> MessageRow:
        """A line of the ledger.

        Raises:
            NotFound: it is not the caller's.
        """
        for row in self._rows("message", notification_id=notification_id):
            return MessageRow(**row)
        raise NotFound(f"there is no message {notification_id}")

    def messages(self, alert_id: UUID | None = None, limit: int = 100) -> list[MessageRow]:
        """The ledger, the latest first: of an alert or of all."""
        return [MessageRow(**row) for row in self._rows("messages", alert_id=alert_id, limit=limit)]

    def message_page(
        self, limit: int, state: str | None = None, before: tuple[datetime, UUID] | None = None
    ) -> list[MessageRow]:
        """Part of the ledger, the latest first: those made before that moment and id, in one state or in any. A state is looked
        for among ``LOOKED_THROUGH`` messages of each project."""
        at, notification_id = before or _LATEST
        rows = self._rows(
            "message_page", limit=limit, state=state, at=at, notification_id=notification_id,
            depth=LOOKED_THROUGH if state else limit,
        )  # fmt: skip
        return [MessageRow(**row) for row in rows]

    def rules(self) -> list[RuleRow]:
        return [RuleRow(**row) for row in self._rows("rules")]

    def channels(self) -> list[ChannelRow]:
        return [ChannelRow(**row) for row in self._rows("channels")]

    def routes(self) -> list[RouteRow]:
        """The routing matrix in the order in which it is asked."""
        return [RouteRow(**row) for row in self._rows("routes")]

    def silences(self) -> list[SilenceRow]:
        """Those that are not over."""
        return [SilenceRow(**row) for row in self._rows("silences")]

    def acknowledge(self, alert_id: UUID) -> None:
        """Somebody sees to it: nobody further is asked. Harmless to repeat.

        Raises:
            NotFound, NotAllowed: it is not the caller's; it needs the role operator.
        """
        self._do("acknowledge_alert", alert_id=alert_id)

    def silence(
        self,
        project_id: UUID,
        kind: str,
        length: timedelta,
        reason: str,
        starts_at: datetime | None = None,
        env: str | None = None,
        rule: str | None = None,
        group_key: str | None = None,
    ) -> UUID:
        """No messages for that long: kind ``mute`` or ``maintenance``. What is open when it ends is sent then."""
        value = self._value(
            "silence_alerts", project_id=project_id, kind=kind, length=length, reason=reason, starts_at=starts_at,
            env=env, rule=rule, group_key=group_key,
        )  # fmt: skip
        return cast(UUID, value)

    def end_silence(self, silence_id: UUID) -> None:
        self._do("end_silence", silence_id=silence_id)

    def put_rule(self, project_id: UUID, name: str, rule: Json) -> UUID:
        """Makes or changes a rule; ``rule`` holds columns of ``ops.alert_rules``.

        Raises:
            BadInput: a column or value is refused.
        """
        return cast(UUID, self._value("put_alert_rule", project_id=project_id, name=name, rule=Jsonb(rule)))

    def remove_rule(self, project_id: UUID, name: str) -> None:
        self._do("remove_alert_rule", project_id=project_id, name=name)

    def put_channel(self, name: str, secret: str, owner: str | None = None, description: str = "") -> None:
        """Makes or changes a channel; ``secret`` is a reference to its Apprise URL."""
        self._do("put_channel", name=name, secret=secret, owner=owner, description=description)

    def remove_channel(self, name: str) -> None:
        self._do("remove_channel", name=name)

    def test_channel(self, project_id: UUID, name: str) -> UUID:
        """Queues a test message."""
        return cast(UUID, self._value("test_channel", project_id=project_id, name=name))

    def put_route(self, area: str, row: Json) -> None:
        """Makes or changes a row of the routing matrix."""
        self._do("put_route", area=area, row=Jsonb(row))
