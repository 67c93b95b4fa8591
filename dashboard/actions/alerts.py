"""Acknowledge and mute alerts, in the name of the person who asks."""

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
    """Changes rows of the routing matrix, all or none. Raises NotAllowed: it needs an admin of a whole org; BadInput."""
    with asking() as connection:
        for area, row in changes.items():
            Alerts(connection).put_route(area, row)
