"""Traces of runs, by OpenTelemetry: one trace from the creation of a run to its end, whatever processes it passes through.

Configured by the standard variables (``OTEL_EXPORTER_OTLP_ENDPOINT`` and its like, ``OTEL_SDK_DISABLED``,
``OTEL_TRACES_EXPORTER``, ``OTEL_SERVICE_NAME``). Without an endpoint nothing of the SDK is even imported, and every
function here is a test of one flag. Names, ids, counts and error codes are sent, never messages, parameters or data.

What crosses from process to process is the text of a W3C ``traceparent``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, cast
from uuid import UUID

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

# Soon enough that a process that is killed loses little; the SDK's own is five seconds.
_EXPORT_EVERY_MS = "1000"
Facts = Mapping[str, str | int | float | bool]


def enabled() -> bool:
    """Whether this process has somewhere to send traces to."""
    return _enabled(
        os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"),
        os.environ.get("OTEL_SDK_DISABLED", ""),
        os.environ.get("OTEL_TRACES_EXPORTER", "otlp"),
    )


@cache
def _enabled(endpoint: str | None, disabled: str, exporter: str) -> bool:
    return bool(endpoint) and disabled.lower() != "true" and "otlp" in (exporter or "otlp").split(",")


class Trace:
    """A span that is open, or nothing at all where traces are off."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        """What another process needs to go on under this span."""
        if self._span is None:
            return None
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def note(self, facts: Facts) -> None:
        """Adds attributes."""
        if self._span is not None:
            self._span.set_attributes(dict(facts))

    def failed(self, code: str) -> None:
        """Marks the span as failed with one of our error codes."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", code)
            self._span.set_status(StatusCode.ERROR, code)

    def past(self, name: str, began: float, ended: float, facts: Facts | None = None) -> None:
        """A child that is over already; both times are in seconds since 1970."""
        if self._span is not None:
            from opentelemetry import trace

            context = trace.set_span_in_context(self._span)
            child = (
                _provider()
                .get_tracer("controlroom")
                .start_span(name, context, attributes=dict(facts or {}), start_time=int(began * 1e9))
            )
            child.end(int(ended * 1e9))


OFF = Trace()


@contextmanager
def span(name: str, parent: str | None, facts: Facts | None = None, began: float | None = None) -> Iterator[Trace]:
    """A span around the block; an error that leaves it marks it with the error's code.

    Args:
        parent: a traceparent; None begins a new trace.
        began: seconds since 1970, where it began before now.
    """
    if not enabled():
        yield OFF
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {})
    tracer = _provider().get_tracer("controlroom")
    begun = tracer.start_span(
        name, context, attributes=dict(facts or {}), start_time=None if began is None else int(began * 1e9)
    )
    opened = Trace(begun)
    try:
        yield opened
    except BaseException as error:
        opened.failed(str(getattr(error, "code", type(error).__name__)))
        raise
    finally:
        begun.end()


def of_run(run_id: UUID, stored: str | None) -> str:
    """The traceparent of a run: what was stored when it was created, else one that its id gives to all its owners alike."""
    return stored or f"00-{run_id.hex}-{run_id.hex[16:]}-01"


def flush() -> None:
    """Sends what has ended; for a process that may be killed while it has nothing to do."""
    if enabled() and _provider.cache_info().currsize:
        _provider().force_flush(2000)


@cache
def _provider() -> TracerProvider:
    """The SDK, set up once a process. Children begin with a provider of their own: a fork has no exporting thread."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_BSP_SCHEDULE_DELAY", _EXPORT_EVERY_MS)
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "controlroom"}
    provider = TracerProvider(
        resource=Resource.create(cast("dict[str, bool | str]", {**named, "process.pid": os.getpid()}))
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
