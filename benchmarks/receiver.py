"""A receiver of traces that throws them away, in a process of its own: ``python -m benchmarks.receiver`` prints its URL."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Swallowing(BaseHTTPRequestHandler):
    """Answers as an OTLP receiver does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Reads what is sent."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Says nothing."""


if __name__ == "__main__":
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Swallowing)
    print(f"http://127.0.0.1:{serving.server_address[1]}", flush=True)
    serving.serve_forever()
