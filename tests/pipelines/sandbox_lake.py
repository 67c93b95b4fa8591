"""A lake with one's own tables and another's, a canary beside it, and an address that remembers who called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake

from pipelines.sandbox.job import GivenTable

CANARY = "CANARY-7f3a"


@dataclass(frozen=True)
class Ground:
    """Where attempts are made.

    Attributes:
        canary: a CSV file beside the lake; ``other`` is a table in it that nobody was given.
        hits: paths that were asked for at ``url``.
    """

    tables: dict[str, GivenTable]
    other: GivenTable
    canary: Path
    url: str
    hits: list[str]


def given(path: Path, rows: pl.DataFrame) -> GivenTable:
    write_deltalake(str(path), rows.to_arrow())
    return GivenTable(str(path), DeltaTable(str(path)).version())


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    people = {"id": [1, 2, 3, 4], "name": ["a", "b", "b", None], "born": [date(1990 + n, 1, 31) for n in range(4)]}
    tables = {
        "t": given(folder / "lake" / "t", pl.DataFrame(people)),
        "u": given(folder / "lake" / "u", pl.DataFrame({"id": [2, 3, 9], "amount": [2.5, 3.5, 9.5]})),
    }
    other = given(folder / "lake" / "other", pl.DataFrame({"a": [CANARY]}))
    canary = folder / "canary.csv"
    canary.write_text(f"a,b\n{CANARY},2\n")
    hits: list[str] = []

    class Remembers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing: the hits are the log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Remembers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Ground(tables, other, canary, f"http://127.0.0.1:{server.server_port}", hits)
        server.shutdown()
        thread.join()
