"""Metrics for Prometheus: one call of ``ops.metrics`` a scrape, made into families of the names that docs/watching.md lists.

Labels are few and bounded: projects and pipelines beyond the first hundreds are counted together by the schema. The endpoint
speaks of every project, so it listens on loopback unless told otherwise, and asks for a token wherever one is set.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ops.database import Connection, connect
from ops.errors import ControlRoomError
from ops.watching import Watching

Facts = Mapping[str, Any]


class ControlRoomCollector(Collector):
    """Asks the database at each scrape, over one connection that is opened again where it broke.

    Args:
        open_connection: gives a connection of the owner or of service_role, in autocommit.
    """

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self._open, self._lock = open_connection, threading.Lock()
        self._connection: Connection | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families; without the database only ``controlroom_up`` 0."""
        began = time.perf_counter()
        try:
            facts = self._asked()
        except ControlRoomError:
            yield GaugeMetricFamily("controlroom_up", "Whether the database answered this scrape.", 0)
            return
        yield GaugeMetricFamily("controlroom_up", "Whether the database answered this scrape.", 1)
        yield from families(facts)
        took = time.perf_counter() - began
        yield GaugeMetricFamily("controlroom_scrape_seconds", "How long this scrape took.", took)

    def _asked(self) -> Facts:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._open()
            return Watching(self._connection).metrics()


def families(facts: Facts) -> Iterator[Metric]:
    """What ``ops.metrics`` said, as metric families."""
    yield from _queue(facts["queue"])
    yield from _runs(facts)
    yield from _executors(facts)
    yield from _caps(facts["caps"])
    yield from _steward(facts["steward"])
    yield from _database(facts["database"])


def _queue(queue: Facts) -> Iterator[Metric]:
    labels = ["project", "env"]
    depth = GaugeMetricFamily("controlroom_queue_runs", "Runs that wait for an executor.", labels=labels)
    oldest = GaugeMetricFamily(
        "controlroom_queue_oldest_seconds", "How long the first of them has been waiting.", labels=labels
    )
    for each in queue["projects"]:
        depth.add_metric([each["project"], each["env"]], each["runs"])
        oldest.add_metric([each["project"], each["env"]], each["oldest"])
    yield depth
    yield oldest
    yield GaugeMetricFamily(
        "controlroom_queue_cut", "1 where the queue is longer than a scrape looks at.", int(queue["cut"])
    )
    yield GaugeMetricFamily(
        "controlroom_queue_unservable_runs",
        "Queued runs that need a capability which no live executor has.",
        queue["unservable"],
    )


def _runs(facts: Facts) -> Iterator[Metric]:
    owned = GaugeMetricFamily("controlroom_runs_owned", "Runs that an executor owns.", labels=["project", "status"])
    for each in facts["owned"]:
        owned.add_metric([each["project"], each["status"]], each["runs"])
    yield owned
    ended = CounterMetricFamily("controlroom_runs_ended", "Runs that ended.", labels=["project", "pipeline", "status"])
    lost = CounterMetricFamily(
        "controlroom_lost_leases", "Leases that ended without an answer, of runs that ended.", labels=["project", "pipeline"]
    )  # fmt: skip
    leases: dict[tuple[str, str], int] = {}
    for each in facts["runs"]:
        ended.add_metric([each["project"], each["pipeline"], each["status"]], each["runs"])
        key = (each["project"], each["pipeline"])
        leases[key] = leases.get(key, 0) + each["lost_leases"]
    for (project, pipeline), count in leases.items():
        lost.add_metric([project, pipeline], count)
    yield ended
    yield lost
    yield CounterMetricFamily("controlroom_claims", "Leases ever given out.", facts["claims"])
    bounds = facts["bounds"]
    yield _histogram(
        "controlroom_run_duration_seconds", "From a run's creation to its end.", ("project", "pipeline", "status"),
        facts["runs"], bounds,
    )  # fmt: skip
    yield _histogram(
        "controlroom_phase_duration_seconds", "A phase's last try, from start to end, in runs that ended.",
        ("project", "kind", "status"), facts["phases"], bounds,
    )  # fmt: skip


def _histogram(
    name: str, said: str, labels: Sequence[str], rows: Iterable[Facts], bounds: Sequence[float]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, said, labels=labels)
    for row in rows:
        total, buckets = 0, []
        for bound, count in zip([*map(str, bounds), "+Inf"], row["buckets"], strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric([row[label] for label in labels], buckets, sum_value=row["seconds"])
    return family


def _executors(facts: Facts) -> Iterator[Metric]:
    count = GaugeMetricFamily("controlroom_executors", "Executors seen within a day.", labels=["state"])
    slots = GaugeMetricFamily("controlroom_executor_slots", "Runs that they can own at once.", labels=["state"])
    for each in facts["executors"]:
        count.add_metric([each["state"]], each["executors"])
        slots.add_metric([each["state"]], each["slots"])
    yield count
    yield slots
    leases = facts["leases"]
    yield GaugeMetricFamily(
        "controlroom_lease_renewal_age_seconds", "Since the least lately renewed lease was renewed.", leases["renewed"]
    )
    yield GaugeMetricFamily(
        "controlroom_leases_expired", "Leases that are over and not yet taken back.", leases["expired"]
    )


def _caps(caps: Iterable[Facts]) -> Iterator[Metric]:
    labels = ["org", "cap", "unit", "period"]
    used = GaugeMetricFamily("controlroom_cap_used", "What is used of a cap now.", labels=labels)
    limit = GaugeMetricFamily("controlroom_cap_limit", "The limit of a cap.", labels=labels)
    for each in caps:
        whose = [each["org"], each["key"], each["unit"], each["period"]]
        used.add_metric(whose, each["used"])
        limit.add_metric(whose, each["limit"])
    yield used
    yield limit


def _steward(steward: Facts) -> Iterator[Metric]:
    yield GaugeMetricFamily("controlroom_steward_elected", "Whether a steward is elected.", int(steward["elected"]))
    family = GaugeMetricFamily("controlroom_steward_round_age_seconds", "Since its last round.", labels=[])
    if steward["age"] is not None:
        family.add_metric([], steward["age"])
    yield family


def _database(database: Facts) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "controlroom_database_oldest_xmin_age",
        "Transactions since the oldest snapshot that is held: what it holds back slows the queue down.",
        database["oldest_xmin"],
    )
    dead = GaugeMetricFamily("controlroom_database_dead_rows", "Dead rows of the busy tables.", labels=["table"])
    for table, rows in database["dead"].items():
        dead.add_metric([table], rows)
    yield dead
    connections = GaugeMetricFamily("controlroom_database_connections", "Connections.", labels=["state"])
    for state, count in database["connections"].items():
        connections.add_metric([state], count)
    yield connections
    yield GaugeMetricFamily(
        "controlroom_database_max_connections", "Connections that the server allows.", database["max_connections"]
    )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


def server(url: str, host: str, port: int, token: str | None) -> WSGIServer:
    """A server of ``/metrics``, ready to serve; port 0 takes a free one.

    Args:
        token: what ``Authorization: Bearer …`` must carry; None asks for nothing.
    """
    registry = CollectorRegistry()
    registry.register(
        ControlRoomCollector(lambda: connect(url, autocommit=True, name="controlroom metrics", idle_seconds=60))
    )
    metrics = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            respond("404 Not Found", [("Content-Type", "text/plain")])
            return [b"metrics are under /metrics\n"]
        given = str(environ.get("HTTP_AUTHORIZATION", ""))
        if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            respond("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
            return [b"a token is needed\n"]
        body: Iterable[bytes] = metrics(environ, respond)
        return body

    return make_server(host, port, app, _Server, _Quiet)
