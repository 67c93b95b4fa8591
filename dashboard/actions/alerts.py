"""Acknowledge and mute alerts, change rules, channels and routes, in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from dashboard.data.source import asking
from ops.alerts import AlertRow, Alerts


def acknowledge(alert_id: UUID) -> None:
    """Somebody sees to it: nobody further is asked. Raises NotAllowed: it needs the role operator."""
    with asking() as connection:
        Alerts(connection).acknowledge(alert_id)


def mute(project_id: UUID, alert: AlertRow, length: timedelta, reason: str) -> None:
    """No messages of the alert's rule about its group for that long. Raises NotAllowed, BadInput."""
    with asking() as connection:
        Alerts(connection).silence(
            project_id, "mute", length, reason, env=alert.env, rule=alert.rule, group_key=alert.group_key
        )


def end_silence(silence_id: UUID) -> None:
    """What is still wrong is told then. Raises NotAllowed."""
    with asking() as connection:
        Alerts(connection).end_silence(silence_id)


def route(changes: Mapping[str, Mapping[str, object]]) -> None:
    """Changes rows of the routing matrix, all or none. Raises NotAllowed: it is the installation's; BadInput."""
    with asking() as connection:
        for area, row in changes.items():
            Alerts(connection).put_route(area, row)


def put_rule(project_id: UUID, name: str, rule: Mapping[str, object]) -> None:
    """Makes a rule or changes one. Raises NotAllowed, BadInput."""
    with asking() as connection:
        Alerts(connection).put_rule(project_id, name, rule)


def remove_rule(project_id: UUID, name: str) -> None:
    """Ends a rule that did not come with the installation, and its alerts. Raises NotAllowed, NotFound."""
    with asking() as connection:
        Alerts(connection).remove_rule(project_id, name)


def put_channel(name: str, secret: str, owner: str | None, description: str) -> None:
    """Makes a channel or changes one. Raises NotAllowed: it is the installation's; BadInput."""
    with asking() as connection:
        Alerts(connection).put_channel(name, secret, owner, description)


def remove_channel(name: str) -> None:
    """What waits for it says so. Raises NotAllowed, NotFound."""
    with asking() as connection:
        Alerts(connection).remove_channel(name)


def try_channel(project_id: UUID, name: str) -> UUID:
    """Sends a message to see whether it arrives; its id. Raises NotAllowed, NotFound."""
    with asking() as connection:
        return Alerts(connection).test_channel(project_id, name)
