"""A receiver of OTLP over HTTP on loopback: decodes what is posted to it and keeps the spans."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """A span, with the process that sent it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    pid: int
    attributes: dict[str, object]
    error: bool
    began: int
    ended: int


@dataclass
class Receiver:
    """Attributes:
    url: what OTEL_EXPORTER_OTLP_ENDPOINT is to be.
    """

    url: str
    spans: list[Received] = field(default_factory=list)

    def wait_for(self, enough: Callable[[list[Received]], bool], seconds: float = 60.0) -> list[Received]:
        """The spans received once they are enough."""
        deadline = time.monotonic() + seconds
        while not enough(list(self.spans)):
            assert time.monotonic() < deadline, f"received only {sorted(each.name for each in self.spans)}"
            time.sleep(0.05)
        return list(self.spans)


@contextmanager
def a_receiver() -> Iterator[Receiver]:
    """Serves until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            made.spans.extend(_decoded(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _decoded(request: ExportTraceServiceRequest) -> Iterator[Received]:
    for resource in request.resource_spans:
        facts = {each.key: each.value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {
                    each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes
                }
                yield Received(
                    span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                    facts["process.pid"].int_value, attributes, span.status.code == 2,
                    span.start_time_unix_nano, span.end_time_unix_nano,
                )  # fmt: skip
