"""The process behind ``controlroom metrics``."""

from __future__ import annotations

import ipaddress
import signal
import threading
from collections.abc import Callable

import typer
from prometheus_client import CollectorRegistry, generate_latest

from controlroom.metrics import ControlRoomCollector, server
from ops.database import connect, database_url
from ops.errors import BadInput, StackFailed
from ops.secrets import SecretStore
from ops.settings import Settings


def serve(settings: Settings, host: str, port: int, token: str | None, say: Callable[[str], None]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        token: a reference, ``secret://…``; needed where ``host`` is not loopback.

    Raises:
        BadInput: there is none where one is needed, or it is not a reference.
        SecretMissing: nothing is stored under it.
        StackFailed: the address cannot be listened on.
    """
    if token is not None and not token.startswith("secret://"):
        raise BadInput(
            "--token must be a reference, secret://env/NAME or secret://file/PATH, and never the token itself"
        )
    if token is None and not _loopback(host):
        raise BadInput(f"--host {host} is reached from elsewhere; give --token with the reference of a secret")
    known = SecretStore(settings.home).resolve(token) if token is not None else None
    try:
        serving = server(database_url(settings), host, port, known)
    except OSError as error:
        raise StackFailed(f"{host}:{port} cannot be listened on: {error.strerror}; choose another --port") from error
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown waits for the loop, which runs in this thread.
        signal.signal(number, lambda *_: threading.Thread(target=serving.shutdown, daemon=True).start())
    say(f"metrics: http://{host}:{serving.server_port}/metrics")
    with serving:
        serving.serve_forever(poll_interval=0.2)


def print_once(settings: Settings) -> None:
    """Prints what a scrape would get."""
    url, registry = database_url(settings), CollectorRegistry()
    registry.register(ControlRoomCollector(lambda: connect(url, autocommit=True, name="controlroom metrics")))
    typer.echo(generate_latest(registry).decode(), nl=False)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
