"""Who works: the steward, the executors, what waits for them, and the parts that `up` has started."""

from __future__ import annotations

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from controlroom import processes
from controlroom.checkups.finding import Check, Fault
from ops.bi import Bi
from ops.checkup import Checkup
from ops.database import Connection
from ops.reads import Reads
from ops.settings import Settings
from ops.watching import Watching

ROUND_SECONDS = 60.0
# Longer than what the teller's pauses after a refusal are: a receiver that was restarted is no fault.
TOLD_WITHIN_SECONDS = 600.0


def checks(connection: Connection, settings: Settings) -> Iterator[Check]:
    """What the database knows."""
    yield "steward", lambda: _steward(connection)
    yield "executors", lambda: _executors(connection, settings)
    yield "queue", lambda: _queue(connection, settings)
    yield "openlineage", lambda: _lineage(connection, settings)
    yield "superset", lambda: _superset(connection, settings)


def parts(settings: Settings) -> Iterator[Check]:
    """What runs on this machine, or is reached from it."""
    yield "ray", lambda: _ray(settings)
    yield "dashboard", lambda: _answers(settings, "dashboard", "/_stcore/health")
    yield "metrics", lambda: _answers(settings, "metrics", "/metrics")


def _steward(connection: Connection) -> str:
    facts = cast("Mapping[str, Any]", Watching(connection).metrics()["steward"])
    if not facts["elected"]:
        raise Fault(
            "no steward is elected: lost runs stay lost, schedules do not fire",
            "`controlroom up`, or keep `python -m compute.steward` running",
        )
    if facts["age"] is None or facts["age"] > ROUND_SECONDS:
        raise Fault(
            f"a steward is elected and has not gone its round for {facts['age'] or 0:.0f} s",
            "look at its log (HOME/logs/steward.log), then end it: another is elected at once",
        )
    return f"elected, its last round {facts['age']:.0f} s ago"


def _executors(connection: Connection, settings: Settings) -> str:
    since = datetime.now(UTC) - timedelta(seconds=2 * settings.lease_seconds)
    alive = [each for each in Reads(connection).executors(since) if each.state == "active"]
    if not alive:
        raise Fault("none was seen lately", "`controlroom up` or `controlroom executor` starts one")
    slots, owned = sum(each.slots for each in alive), sum(each.runs for each in alive)
    return f"{len(alive)} active with {slots} slots, {owned} runs owned"


def _queue(connection: Connection, settings: Settings) -> str:
    within = timedelta(seconds=2 * settings.lease_seconds)
    unserved = Checkup(connection).unserved(within)
    if unserved:
        needs = "; ".join(f"{row.runs} need {row.needs or 'any executor'}" for row in unserved)
        raise Fault(
            f"queued runs that no live executor can take: {needs}",
            "start one that can: `controlroom executor --capabilities …`",
        )
    return "every queued run has an executor that can take it"


def _lineage(connection: Connection, settings: Settings) -> str:
    waiting = Checkup(connection).untold()
    if waiting.seconds > TOLD_WITHIN_SECONDS:
        why = f": {waiting.error}" if waiting.error else ""
        raise Fault(
            f"{waiting.runs} runs wait to be told to the receiver, the first event for {waiting.seconds / 60:.0f} min{why}",
            "look at the receiver, and whether the steward has CONTROLROOM_OPENLINEAGE and its key; what waits is told then",
        )
    if not settings.openlineage and not waiting.runs:
        return "nobody is told (CONTROLROOM_OPENLINEAGE is empty here)"
    return f"{waiting.runs} runs wait to be told, none for long"


def _superset(connection: Connection, settings: Settings) -> str:
    waiting, followed = Bi(connection).waiting_wishes(), Checkup(connection).superset_followed()
    if not followed and settings.superset_url:
        raise Fault(
            f"nobody publishes what phases ask for: {len(waiting)} environments wait",
            "`controlroom superset up`, or keep `controlroom superset follow` running",
        )
    if tried := [one for one in waiting if one.error]:
        one = tried[0]
        raise Fault(
            f"{one.org}/{one.project} ({one.env}) is not published after {one.tries} tries: {one.error}",
            "mend what it says; it is tried again by itself, at the latest after ten minutes",
        )
    if not followed:
        return f"not used here; {len(waiting)} environments would be published by `controlroom superset up`"
    return f"followed, {len(waiting)} environments wait"


def _ray(settings: Settings) -> str:
    part = processes.recorded(settings.home).get("ray")
    address = os.environ.get("RAY_ADDRESS") or (part.where if part else "")
    if not address or address.startswith(("ray://", "auto", "local")):
        return f"reached through Ray's own client ({address})" if address else "not used here"
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except (OSError, ValueError) as error:
        raise Fault(
            f"the head at {address} does not answer: {error}", "`controlroom up`, or correct RAY_ADDRESS"
        ) from error
    return f"the head at {address} answers"


def _answers(settings: Settings, name: str, path: str) -> str:
    part = processes.recorded(settings.home).get(name)
    if part is None:
        return "not started here"
    where = part.where if "://" in part.where else f"http://{part.where}"
    try:
        with urllib.request.urlopen(f"{where}{path}", timeout=5) as answer:  # noqa: S310 - our own loopback URL
            answer.read()
    except (OSError, urllib.error.URLError) as error:
        raise Fault(
            f"{where} does not answer: {error}", f"`controlroom up` starts it again; its log is HOME/logs/{name}.log"
        ) from error
    return f"{where} answers"
