"""A stand-in for a Trino coordinator: it speaks ``/v1/statement`` over real HTTP and computes nothing.

What a query is answered with is written down before, by a word of its text. The client that talks to it is the real one.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, cast

Json = dict[str, Any]
POLL_SECONDS = 0.2


def signature(kind: str) -> Json:
    """A type as the protocol has it beside its name: ``array(decimal(10,2))`` → rawType and arguments."""
    match = re.fullmatch(r"([a-z ]+?)(?:\((.*)\))?( with time zone)?", kind)
    assert match, kind
    raw, inside = match[1] + (match[3] or ""), _split(match[2] or "")
    arguments: list[Json]
    match raw:
        case "row":
            named = [one.split(" ", 1) for one in inside]
            arguments = [
                {"kind": "NAMED_TYPE", "value": {"fieldName": {"name": name}, "typeSignature": signature(inner)}}
                for name, inner in named
            ]
        case "array" | "map":
            arguments = [{"kind": "TYPE", "value": signature(one)} for one in inside]
        case _:
            arguments = [{"kind": "LONG", "value": int(one)} for one in inside]
    return {"rawType": raw, "arguments": arguments}


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


@dataclass
class Script:
    """What a query gets.

    Attributes:
        columns: name → type.
        pages: of rows, one a request.
        error: in place of the last page.
        endless: after the pages it goes on working.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: {"x": "integer"})
    pages: Sequence[Sequence[Sequence[Any]]] = ((),)
    error: Json | None = None
    endless: bool = False


@dataclass
class Coordinator:
    """What is answered, and what was seen.

    Attributes:
        scripts: by a word of the query; EXPLAIN has an answer of its own.
        busy: so many requests are answered with 503 first.
        logins: user → password; empty lets everybody in.
        points_to: where it says that it goes on; empty: here.
        spools: it answers with places of rows, which are there as well.
        reached: every path that was asked for.
    """

    port: int = 0
    scripts: dict[str, Script] = field(default_factory=dict)
    busy: int = 0
    logins: dict[str, str] = field(default_factory=dict)
    points_to: str = ""
    spools: bool = False
    reached: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    polled: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def address(self) -> str:
        return f"http://tester@127.0.0.1:{self.port}/hive/web"

    def script(self, sql: str) -> Script:
        if sql.startswith("explain"):
            return Script({"Query Plan": "varchar"}, [[["Output[columnNames = [x]]\n"], ["└─ TableScan"]]])
        return next((script for word, script in self.scripts.items() if word in sql), Script(pages=[[[1]]]))

    def wait(self, seen: str, times: int = 1, seconds: float = 20) -> bool:
        """Whether ``asked``, ``polled`` or ``deleted`` comes to hold so many."""
        with self.changed:
            return self.changed.wait_for(lambda: len(getattr(self, seen)) >= times, seconds)

    def note(self, seen: str, what: object) -> None:
        with self.changed:
            getattr(self, seen).append(what)
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    numbers = count(1)

    @property
    def coordinator(self) -> Coordinator:
        return cast(_Server, self.server).coordinator

    def do_POST(self) -> None:
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self._welcome():
            return
        number = f"q{next(self.numbers)}"
        self.coordinator.queries[number] = sql
        self.coordinator.headers.append(dict(self.headers))
        self.coordinator.note("asked", sql)
        self._say(200, self._state(number, f"queued/{number}/0"))

    def do_GET(self) -> None:
        if self.path == "/v1/info":
            self._say(200, {"nodeVersion": {"version": "476-stand-in"}, "starting": False})
            return
        if not self._welcome():
            return
        _, _, _, _, number, token = self.path.split("/")
        script, page = self.coordinator.script(self.coordinator.queries[number]), int(token)
        self.coordinator.note("polled", f"{self.coordinator.queries[number]}{page}")
        if page < len(script.pages):
            more = page + 1 < len(script.pages) or script.error or script.endless
            state = self._state(number, f"executing/{number}/{page + 1}" if more else None)
            columns = [
                {"name": name, "type": kind, "typeSignature": signature(kind)} for name, kind in script.columns.items()
            ]
            places = {"encoding": "json", "segments": [{"type": "spooled", "uri": f"{self.coordinator.points_to}/x"}]}
            self._say(
                200, {**state, "columns": columns, "data": places if self.coordinator.spools else script.pages[page]}
            )
        elif script.error is not None:
            self._say(200, {**self._state(number, None), "error": script.error})
        else:
            # As a coordinator does: the request waits for a while, then there is nothing new.
            with self.coordinator.changed:
                self.coordinator.changed.wait(POLL_SECONDS)
            self._say(200, self._state(number, f"executing/{number}/{page + 1}"))

    def do_DELETE(self) -> None:
        if self._welcome():
            self.coordinator.note("deleted", self.coordinator.queries[self.path.split("/")[4]])
            self._say(204, None)

    def _welcome(self) -> bool:
        coordinator = self.coordinator
        coordinator.note("reached", self.path)
        if coordinator.busy:
            coordinator.busy -= 1
            self._say(503, None)
            return False
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        user, _, password = given.partition(":")
        if coordinator.logins and coordinator.logins.get(user) != password:
            self._say(401, None)
            return False
        return True

    def _state(self, number: str, following: str | None) -> Json:
        base = f"http://127.0.0.1:{self.coordinator.port}"
        onward = base if self.coordinator.spools else self.coordinator.points_to or base
        state: Json = {"id": number, "infoUri": f"{base}/ui/query.html?{number}", "stats": {"state": "RUNNING"}}
        return {**state, "nextUri": f"{onward}/v1/statement/{following}"} if following else state

    def _say(self, status: int, body: Json | None) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    coordinator: Coordinator

    def handle_error(self, *_: object) -> None:
        """A client that was killed is what some tests are about."""


@contextmanager
def coordinator() -> Iterator[Coordinator]:
    """A coordinator on loopback."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.coordinator = Coordinator(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.coordinator
        finally:
            server.shutdown()
            thread.join()
