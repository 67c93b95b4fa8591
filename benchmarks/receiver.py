"""A receiver of traces and of lineage that keeps nothing but a count, in a process of its own.

``python -m benchmarks.receiver`` prints its URL. A GET gives how often each path was posted to, as JSON.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Swallowing(BaseHTTPRequestHandler):
    """Answers as receivers of OTLP and of OpenLineage do."""

    protocol_version = "HTTP/1.1"
    posted: ClassVar[Counter[str]] = Counter()
    lock = threading.Lock()

    def do_POST(self) -> None:
        """Reads what is sent."""
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.posted[self.path] += 1
        self._answer(b"")

    def do_GET(self) -> None:
        """Says what was sent where."""
        with self.lock:
            said = json.dumps(self.posted)
        self._answer(said.encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing."""


if __name__ == "__main__":
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Swallowing)
    print(f"http://127.0.0.1:{serving.server_address[1]}", flush=True)
    serving.serve_forever()
