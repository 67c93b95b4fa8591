"""structlog, set up once per process: JSON for machines, colours for a terminal, secrets hidden in both.

Bind ``run``, ``phase``, ``executor`` and ``lease_token`` with ``structlog.contextvars.bound_contextvars``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from ops.secrets import HIDDEN

NAMES = frozenset({"password", "passwd", "secret", "token", "api_key", "authorization", "aws_secret_access_key"})
"""Fields whose value is never shown, whatever it is."""

Redact = Callable[[str], str]


def configure(
    redact: Redact,
    json: bool | None = None,
    level: str = "info",
    stream: TextIO | None = None,
    also: Callable[[Mapping[str, object]], None] | None = None,
) -> None:
    """Sets structlog up for this process; the last call wins.

    Args:
        redact: takes secrets out of a text: ``SecretStore(home).redact``.
        json: None chooses by whether ``stream`` is a terminal.
        stream: where lines go; standard error.
        also: gets each line too, as fields, redacted.
    """
    stream = stream or sys.stderr
    as_json = not stream.isatty() if json is None else json
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redacting(redact),
            *([_telling(also)] if also else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def _redacting(redact: Redact) -> structlog.typing.Processor:
    def hide(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: HIDDEN if key.lower() in NAMES else _hidden(value, redact) for key, value in event.items()}

    return hide


def _telling(also: Callable[[Mapping[str, object]], None]) -> structlog.typing.Processor:
    def tell(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        also(event)
        return event

    return tell


def _hidden(value: object, redact: Redact) -> object:
    """Values of every depth; what is not plain data is turned into text first, as the renderer would do."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redact(value)
        case dict():
            return {
                str(key): HIDDEN if str(key).lower() in NAMES else _hidden(item, redact) for key, item in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_hidden(item, redact) for item in value]
        case _:
            return redact(str(value))
