"""A phase kind that resolves a secret and lets it out in the way that its spec says: a careless third party's handler."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import structlog

from compute.phase_log import LINE_CHARACTERS
from ops.errors import SourceUnreachable
from ops.model import PhaseResult
from pipelines.handler import Context
from pipelines.spec import CustomPhase, Phase

PLUGIN = Path(__file__).parent / "plugin"


class Careless(Exception):
    """Of the handler's own."""


def _raises(_: Context, secret: str) -> None:
    raise Careless(f"could not log in with {secret}")


def _raises_from(_: Context, secret: str) -> None:
    try:
        raise ValueError(f"inner {secret}")
    except ValueError as error:
        raise Careless("outer") from error


def _raises_ours(_: Context, secret: str) -> None:
    raise SourceUnreachable(f"no answer for {secret}", {"dsn": secret, "deep": [{"a": secret}]})


def _connects(_: Context, secret: str) -> None:
    psycopg.connect(f"postgresql://me:{secret}@127.0.0.1:1/db", connect_timeout=2)


def _connects_by_words(_: Context, secret: str) -> None:
    psycopg.connect(f"host=127.0.0.1 port=1 user=me password={secret}", connect_timeout=2)


def _sql(_: Context, secret: str) -> None:
    raise Careless(f"near line 1: create user me password '{secret}'")


def _in_a_thread(_: Context, secret: str) -> None:
    thread = threading.Thread(target=_raises, args=(_, secret))
    thread.start()
    thread.join()


def _file(ctx: Context, secret: str) -> None:
    path = ctx.scratch / "report.bin"
    path.write_bytes(b"\x00" * 100 + secret.encode())
    ctx.artifacts.put_file("report.bin", "leak", path, "application/octet-stream")


def _logs_an_error(_: Context, secret: str) -> None:
    try:
        raise Careless(secret)
    except Careless:
        structlog.get_logger().exception("it went wrong", dsn=secret)


WAYS: Mapping[str, Callable[[Context, str], object]] = {
    "raises": _raises,
    "raises_from": _raises_from,
    "raises_ours": _raises_ours,
    "connects": _connects,
    "connects_by_words": _connects_by_words,
    "sql": _sql,
    "thread": _in_a_thread,
    "message": lambda ctx, secret: ctx.progress(1, 2, f"reading with {secret}"),
    "fact": lambda ctx, secret: ctx.progress(1, 2, "reading", dsn=secret, deep={"a": [secret]}),
    "metrics": lambda ctx, secret: None,
    "json": lambda ctx, secret: ctx.artifacts.put_bytes("a.json", "leak", f'"{secret}"'.encode(), "application/json"),
    "text": lambda ctx, secret: ctx.artifacts.put_bytes("a.sql", "leak", secret.encode(), "application/sql"),
    "bytes": lambda ctx, secret: ctx.artifacts.put_bytes("a.bin", "leak", secret.encode(), "application/x-bin"),
    "file": _file,
    "meta": lambda ctx, secret: ctx.artifacts.put_bytes("a.csv", "leak", b"1", "text/csv", {"dsn": secret}),
    "name": lambda ctx, secret: ctx.artifacts.put_bytes(f"of-{secret}", "leak", b"2", "text/csv"),
    "log": lambda ctx, secret: structlog.get_logger().warning(f"using {secret}", dsn=secret, deep=[{"a": secret}]),
    "log_error": _logs_an_error,
    "stdlib_log": lambda ctx, secret: logging.getLogger("a.library").error("using %s", secret),
    "print": lambda ctx, secret: sys.stdout.write(f"using {secret}\n"),
    "print_in_parts": lambda ctx, secret: [sys.stderr.write(part) for part in (secret[:4], secret[4:], "\n")],
    "native": lambda ctx, secret: os.write(2, f"using {secret}\n".encode()),
    "subprocess": lambda ctx, secret: subprocess.run(["echo", f"using {secret}"], check=True),
    "long_line": lambda ctx, secret: sys.stdout.write("." * (LINE_CHARACTERS - 10) + secret + "\n"),
    "warning": lambda ctx, secret: warnings.warn(f"old way of using {secret}", stacklevel=1),
}


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """The handler of kind ``leaky``."""
    assert isinstance(phase, CustomPhase)
    way = str(phase.with_["way"])
    secret = ctx.secrets.resolve(str(phase.with_["secret"]))
    made = WAYS[way](ctx, secret)
    metrics = {"dsn": secret, "deep": [{secret: secret}]} if way == "metrics" else {}
    return PhaseResult(metrics=metrics, artifacts=(made,) if hasattr(made, "sha256") else ())  # type: ignore[arg-type]
