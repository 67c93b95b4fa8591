"""The courier: takes messages from the ledger and hands them to Apprise, which knows mail, webhooks and a hundred services.

It needs no election: a message is leased to one courier, and what a dead one had is free again when the lease ends. A message
is marked as delivered after it was; so one that was sent by a courier who died before it could say so is sent twice, under
the same id. A receiver that is slow or gone holds up a courier, never the steward.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

import apprise
import psycopg
import structlog

from ops.alerts import Message, Messages
from ops.database import connect
from ops.errors import ControlRoomError
from ops.secrets import SecretStore

log = structlog.get_logger()
LEASE_SECONDS = 30.0
# The part of the lease that sending may take: a message that is under way must be nobody else's.
SENDING = 0.6
IDLE_SECONDS = 0.5
HEADER = "X-Controlroom-Notification"
# The services of Apprise that take headers of ours; the id stands in the text of every message.
_WITH_HEADERS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"})
_TYPES = {
    "info": apprise.NotifyType.INFO,
    "warning": apprise.NotifyType.WARNING,
    "critical": apprise.NotifyType.FAILURE,
}
_RANK = ("info", "warning", "critical")


class Courier:
    """A thread that sends until it is stopped.

    Args:
        lease_seconds: how long a message is this courier's; what it dies with is sent again after that.
    """

    def __init__(self, url: str, secrets: SecretStore, lease_seconds: float = LEASE_SECONDS) -> None:
        self._url, self._secrets, self._lease = url, secrets, lease_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sends what is at hand and ends."""
        self._stopped.set()
        self._thread.join(self._lease)

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                with connect(self._url, autocommit=True, name="courier") as connection:
                    self._serve(Messages(connection))
            except (ControlRoomError, psycopg.Error) as error:
                log.warning("courier interrupted", error=str(error))
                self._stopped.wait(1.0)

    def _serve(self, ledger: Messages) -> None:
        while not self._stopped.is_set():
            batch = ledger.claim(self._lease)
            if not batch:
                self._stopped.wait(IDLE_SECONDS)
                continue
            fault = self._send(batch)
            if fault is None:
                ledger.delivered(batch[0].batch_id)
            else:
                log.warning(
                    "a message was not taken", channel=batch[0].channel, batch=str(batch[0].batch_id), error=fault
                )
                ledger.refused(batch[0].batch_id, batch[0].attempts, fault)

    def _send(self, batch: Sequence[Message]) -> str | None:
        """None where the channel took it, else why not, with nothing secret in it."""
        first = batch[0]
        if first.secret is None:
            return f"there is no channel {first.channel} any more"
        try:
            address = self._secrets.resolve(first.secret)
        except ControlRoomError as error:
            return error.message
        said: list[str] = []
        service = apprise.Apprise()
        title, body, severity = written(batch)
        try:
            if not service.add(_with_id(address, str(first.batch_id))):
                return f"what {first.secret} holds is no address that Apprise knows"
            result = service.notify(
                body=body,
                title=title,
                notify_type=_TYPES[severity],
                timeout=self._lease * SENDING,
                log_callback=lambda entry, _: said.append(str(entry)),
            )
        except Exception as error:
            # A service's own code, of which there are a hundred: what one of them does not foresee must not end the courier.
            log.exception("a service failed", channel=first.channel)
            return self._secrets.redact(f"{type(error).__name__}: {error}")
        return None if result else self._secrets.redact("; ".join(said[-3:]) or "the channel did not take it")


def written(batch: Sequence[Message]) -> tuple[str, str, str]:
    """Title, text and severity of the message for a batch; the text ends with the ids that never change."""
    worst = max((one.severity for one in batch), key=_RANK.index)
    if len(batch) == 1:
        [one] = batch
        text = [one.body] if one.body else []
        title = one.title
    else:
        title = f"{len(batch)} messages: {batch[0].title} …"
        text = [f"{one.title}\n{one.body}".rstrip() for one in batch]
    ids = " ".join(str(one.notification_id) for one in batch)
    return f"[{worst}] {title}", "\n\n".join([*text, f"notification {ids}"]), worst


def _with_id(address: str, batch_id: str) -> str:
    if urlsplit(address).scheme not in _WITH_HEADERS:
        return address
    return f"{address}{'&' if '?' in address else '?'}+{HEADER}={batch_id}"
