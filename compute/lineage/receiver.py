"""Who is told: OpenLineage's own client, set up from our settings."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import attr
import requests
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport.noop import NoopTransport

from ops.errors import ControlRoomError, SettingsInvalid
from ops.secrets import SecretStore
from ops.settings import Settings

TIMEOUT_SECONDS = 10.0
# These say that the receiver is not ready, not that it dislikes this event.
_NOT_NOW = frozenset({401, 403, 404, 408, 425, 429})


class Refused(Exception):
    """The receiver does not take this event; another one it may take. The message has nothing secret in it."""


class Unreachable(Exception):
    """The receiver takes nothing now. The message has nothing secret in it."""


class Receiver:
    """Takes events by the client's transport: HTTP, a file, the console, or what its own configuration says.

    Raises:
        ControlRoomError: the settings or the key's reference name nothing usable.
    """

    def __init__(self, settings: Settings, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._client = OpenLineageClient(config=_config(settings, secrets))
        if isinstance(self._client.transport, NoopTransport):
            raise SettingsInvalid(
                "CONTROLROOM_OPENLINEAGE tells to a client that is switched off; unset OPENLINEAGE_DISABLED"
            )
        if settings.openlineage == "console":
            _to_standard_output()

    def take(self, event: RunEvent) -> None:
        """Returns when the receiver has the event.

        Raises:
            Refused, Unreachable: it has not, as far as we know.
        """
        try:
            self._client.emit(_discreet(event, self._secrets.redact))
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            said = self._secrets.redact(str(error))
            mine = 400 <= status < 500 and status not in _NOT_NOW
            raise (Refused if mine else Unreachable)(said) from None
        except Exception as error:
            # Transports are many, some of them others' code; what one of them does not foresee must not end the teller.
            raise Unreachable(self._secrets.redact(f"{type(error).__name__}: {error}")) from None

    def close(self) -> None:
        self._client.close(TIMEOUT_SECONDS)


def _config(settings: Settings, secrets: SecretStore) -> dict[str, object]:
    # Where the steward happens to stand is no job's source.
    facets = {"source_code_location": {"disabled": True}}
    to = settings.openlineage or ""
    if to == "client":
        return {"facets": facets}
    if to == "console":
        return {"facets": facets, "transport": {"type": "console"}}
    if to.startswith("file:"):
        path = unquote(urlsplit(to).path)
        return {"facets": facets, "transport": {"type": "file", "log_file_path": path, "append": True}}
    transport: dict[str, object] = {
        "type": "http",
        # Joined with api/v1/lineage as a relative address.
        "url": to.rstrip("/") + "/",
        "timeout": TIMEOUT_SECONDS,
        # The ledger repeats, with more patience and for longer.
        "retry": {"total": 0, "read": 0, "connect": 0},
    }
    if settings.openlineage_key:
        transport["auth"] = {"type": "api_key", "apiKey": secrets.resolve(settings.openlineage_key)}
    return {"facets": facets, "transport": transport}


def _to_standard_output() -> None:
    said = logging.getLogger("openlineage.client.transport.console")
    if not said.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        said.addHandler(handler)
    said.setLevel(logging.INFO)
    said.propagate = False


def _discreet(event: RunEvent, redact: Callable[[str], str]) -> RunEvent:
    """The event, with every text in it redacted in place."""
    _walk(event, redact)
    return event


def _walk(value: object, redact: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_walk(each, redact) for each in value]
    if isinstance(value, dict):
        return {name: _walk(each, redact) for name, each in value.items()}
    kind = type(value)
    for name in attr.fields_dict(kind) if attr.has(kind) else ():
        setattr(value, name, _walk(getattr(value, name), redact))
    return value


def opened(settings: Settings, secrets: SecretStore) -> Receiver | str:
    """A receiver, or why there is none now, with nothing secret in it."""
    try:
        return Receiver(settings, secrets)
    except ControlRoomError as error:
        return error.message
    except Exception as error:
        # The client's own faults in what it is configured with are of no certain type.
        return secrets.redact(f"{type(error).__name__}: {error}")
