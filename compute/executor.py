"""The executor: claims runs while it has free slots, lives each in a thread, renews their leases, drains when told.

Waiting costs nothing: a NOTIFY wakes it, and a poll at most a second later if the notice was lost.
"""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from uuid import UUID, uuid4

import structlog

from compute.hand import Hands
from compute.lease import Renewer
from compute.phase_work import Places
from compute.run_life import Executor, RunLife
from compute.trying import Signal
from ops.database import EXECUTOR, Pool
from ops.errors import BadInput, ControlRoomError, DatabaseUnavailable
from ops.listen import CONTROL, RUNS, Listener
from ops.model import ClaimedRun
from ops.rpc import Rpc

log = structlog.get_logger()
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """What an executor is told.

    Attributes:
        slots: runs that it owns at once.
        capabilities: what it can do; it claims no run whose pipeline asks for more.
        grace_seconds: how long a drain lets phases finish before it stops them.
        labels: what people are told of where it is; the fleet's page shows ``ray_node``.
    """

    name: str
    slots: int = 2
    lease_seconds: float = 30.0
    capabilities: Sequence[str] = ()
    grace_seconds: float = 30.0
    labels: Mapping[str, str] = field(default_factory=dict)


def named(capabilities: str) -> tuple[str, ...]:
    """The names in a text like ``gpu,odoo``, as command lines have it."""
    return tuple(name for part in capabilities.split(",") if (name := part.strip()))


class LeasedExecutor:
    """Owns connections, leases and run threads; ``work`` returns after :meth:`drain` when nothing is owned any more.

    Attributes:
        drain_asked: it drains because the control room was asked for it.
    """

    def __init__(self, options: Options, places: Places, hands: Hands) -> None:
        self.id: UUID = uuid4()
        self._options, self._places, self._hands = options, places, hands
        self._pool = Pool(places.database_url, EXECUTOR, min_size=1, max_size=options.slots + 2, name=options.name)
        self._lease_pool = Pool(places.database_url, EXECUTOR, min_size=1, max_size=1, name=f"{options.name} lease")
        self._rpc = Rpc(self._pool)
        self._renewer = Renewer(Rpc(self._lease_pool), self.id, options.lease_seconds, self._asked)
        self._listener = Listener(places.database_url, RUNS, CONTROL, role=EXECUTOR)
        self._who = Executor(options.name, places, hands, options.lease_seconds)
        self._lives: dict[RunLife, threading.Thread] = {}
        self._lock = threading.Lock()
        self._draining = threading.Event()
        self.drain_asked = False

    def work(self) -> None:
        """Claims and lives runs until drained."""
        self._register()
        self._renewer.start()
        log.info("executor ready", executor=self._options.name, slots=self._options.slots)
        try:
            while not self._draining.is_set():
                if not self._claim():
                    self._wait()
            self._finish()
        finally:
            self._renewer.close()
            self._hands.close()
            self._listener.close()
            self._lease_pool.close()
            self._pool.close()

    def drain(self) -> None:
        """Claims nothing more; begun phases may finish within the grace, then what is owned is given back."""
        self._draining.set()
        self._listener.wake()

    def drains(self) -> bool:
        """Whether the control room has asked it to drain, also where it has not noticed yet.

        Raises:
            DatabaseUnavailable: nobody answers.
        """
        if self._rpc.is_draining(self.id):
            self._asked()
        return self.drain_asked

    def _asked(self) -> None:
        if not self.drain_asked:
            log.info("asked to drain", executor=self._options.name)
            self.drain_asked = True
            self.drain()

    @property
    def owned(self) -> int:
        """Runs owned now."""
        with self._lock:
            return len(self._lives)

    def _register(self) -> None:
        options = self._options
        while not self._draining.is_set():
            try:
                self._rpc.register_executor(
                    self.id, options.name, options.capabilities, options.labels, options.slots, socket.gethostname(),
                    version("lakehouse-control-room"),
                )  # fmt: skip
                break
            except DatabaseUnavailable as error:
                log.warning("waiting for Postgres", error=error.message)
                time.sleep(0.5)

    def _claim(self) -> bool:
        """Takes what fits into the free slots; False where there was nothing to take or no slot."""
        free = self._options.slots - self.owned
        if free <= 0:
            return False
        asked = time.monotonic()
        try:
            runs = self._rpc.claim_run(self.id, self._options.capabilities, self._options.lease_seconds, free)
        except ControlRoomError as error:
            log.warning("no runs claimed", code=error.code, error=error.message)
            return False
        for run in runs:
            self._begin(run, asked)
        return bool(runs)

    def _begin(self, run: ClaimedRun, claimed_at: float) -> None:
        try:
            life = RunLife(run, self._who, self._rpc, claimed_at)
        except (ValueError, BadInput) as error:
            # Stored by another version of this code, or by hand: say so on the run, do not take the executor down.
            self._refuse(run, f"the stored spec cannot be read: {error}")
            return
        thread = threading.Thread(target=self._live, args=(life,), name=f"run-{run.run_id}", daemon=True)
        with self._lock:
            self._lives[life] = thread
        self._renewer.add(life.lease)
        thread.start()

    def _refuse(self, run: ClaimedRun, why: str) -> None:
        try:
            self._rpc.fail_run(run.run_id, run.lease_token, "SPEC_INVALID", why)
        except ControlRoomError as error:
            # The lease ends and the next owner says it.
            log.warning("a refused run's end was not written down", run=str(run.run_id), code=error.code)

    def _live(self, life: RunLife) -> None:
        try:
            life.live()
        finally:
            self._renewer.remove(life.lease)
            with self._lock:
                del self._lives[life]
            self._listener.wake()

    def _wait(self) -> None:
        for notice in self._listener.wait(random.uniform(0.5, 1.0) * POLL_SECONDS):  # noqa: S311 - jitter
            if notice.channel == CONTROL:
                self._renewer.nudge()

    def _finish(self) -> None:
        log.info("draining", executor=self._options.name, owned=self.owned)
        try:
            self._rpc.executor_seen(self.id, "draining")
        except ControlRoomError as error:
            log.warning("drain not announced", code=error.code, error=error.message)
        self._tell_all(Signal.DRAIN)
        deadline = time.monotonic() + self._options.grace_seconds
        while self.owned and time.monotonic() < deadline:
            time.sleep(0.05)
        self._tell_all(Signal.HURRY)
        for thread in self._threads():
            thread.join(5)
        try:
            self._rpc.executor_seen(self.id, "lost")
        except ControlRoomError as error:
            log.warning("end not announced", code=error.code, error=error.message)

    def _tell_all(self, message: Signal) -> None:
        with self._lock:
            for life in self._lives:
                life.tell(message)

    def _threads(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._lives.values())


def drain_on_signals(executor: LeasedExecutor) -> None:
    """SIGTERM and SIGINT drain; for the main thread of a process of its own."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: executor.drain())
