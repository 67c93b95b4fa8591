"""The executor of ``deploy/supabase`` under a real Deno, and the web service that it publishes to."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import deno  # type: ignore[import-untyped]

from tests.contract.door import Door
from tests.contract.tokens import token

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "supabase" / "functions" / "executor"
LEASE_SECONDS = 3.0


@dataclass
class Receiver:
    """A web service on loopback that keeps what it was sent, and answers as it was told: 200 when nothing is left to say."""

    host: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[str, str | None, bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    def answer(self, path: str, key: str | None, body: bytes) -> int:
        self.received.append((path, key, body))
        return self.answers.pop(0) if self.answers else 200


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            receiver.received.append((self.path, None, b""))
            self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.answer(self.path, self.headers["Idempotency-Key"], body))
            self.send_header("Content-Length", "0")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Says nothing: pytest shows what was received where that matters."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def program() -> str:
    return str(deno.find_deno_bin())


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of Deno's over the executor's folder."""
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(
        [program(), *arguments], cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


@contextmanager
def started(
    door: Door, log: Path, script: str = "main.ts", hosts: Sequence[str] = (), **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The executor as a process, with no more rights than it needs; killed at the end."""
    environment = {
        **os.environ,
        "NO_COLOR": "1",
        "CONTROLROOM_HTTP_URL": door.url,
        "CONTROLROOM_HTTP_TOKEN": token("controlroom_executor"),
        "CONTROLROOM_LEASE_SECONDS": str(LEASE_SECONDS),
        "CONTROLROOM_SLOTS": "1",
        "CONTROLROOM_WEBHOOK_HOSTS": ",".join(hosts),
        **settings,
    }
    net = ",".join([door.url.removeprefix("http://"), *hosts, *filter(None, [settings.get("SERVED_AT")])])
    command = [program(), "run", "--no-prompt", "--cached-only", "--allow-env", f"--allow-net={net}", script]
    with log.open("ab") as said:
        process = subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=60)
