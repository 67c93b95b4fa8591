"""The executor's leases and the thread that renews them. Phases run in other processes, so nothing can hold it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import structlog

from ops.errors import ControlRoomError
from ops.model import LeaseToken, RunId
from ops.rpc import Rpc

log = structlog.get_logger()


@dataclass
class Lease:
    """An owned run, as its owner sees it.

    Attributes:
        until: on this process's monotonic clock, when the lease surely ends if nothing is heard. Counted from before
            the renewal was asked for, so it is never later than the database's.
        lost, canceled, capped: called once each, from the renewing thread; the last with the words of the cap that is used up.
        usage: phase → what its try has used so far, for the next renewal to report.
    """

    run_id: RunId
    token: LeaseToken
    until: float
    lost: Callable[[], None]
    canceled: Callable[[], None]
    capped: Callable[[str], None]
    told: set[str] = field(default_factory=set)
    usage: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def uses(self, phase: str, attempt: int, figures: Mapping[str, object]) -> None:
        """Takes note of what a try has used in all."""
        self.usage[phase] = {"run_id": self.run_id, "phase": phase, "attempt": attempt, **figures}

    def ended(self, phase: str) -> None:
        """The try's last figures were written down with its end."""
        self.usage.pop(phase, None)

    def reports(self) -> list[Mapping[str, object]]:
        """What is to be reported now. Copied at once: another thread takes notes."""
        return list(self.usage.values())


class Renewer(threading.Thread):
    """Renews all leases of an executor in one call, three times a lease.

    Args:
        rpc: on a connection of its own.
        lease_seconds: what each renewal asks for.
        drained: called once somebody has asked the executor to take no further run, from this thread and perhaps again.
    """

    def __init__(self, rpc: Rpc, executor_id: UUID, lease_seconds: float, drained: Callable[[], None]) -> None:
        super().__init__(name="lease-renewer", daemon=True)
        self._rpc, self._executor_id, self._seconds, self._drained = rpc, executor_id, lease_seconds, drained
        self._leases: dict[RunId, Lease] = {}
        self._lock = threading.Lock()
        self._nudged = threading.Event()
        self._closed = False

    def add(self, lease: Lease) -> None:
        with self._lock:
            self._leases[lease.run_id] = lease

    def remove(self, lease: Lease) -> None:
        """Renews this lease no more; a later one on the same run stays."""
        with self._lock:
            if self._leases.get(lease.run_id) is lease:
                del self._leases[lease.run_id]

    def nudge(self) -> None:
        """Renews now: someone said that a cancel was requested."""
        self._nudged.set()

    def close(self) -> None:
        self._closed = True
        self._nudged.set()
        self.join(5)

    def run(self) -> None:
        while not self._closed:
            self._nudged.wait(self._seconds / 3)
            self._nudged.clear()
            if not self._closed and self._renew():
                self._ask()

    def _renew(self) -> bool:
        """Whether there was an answer: where there is none, nothing may keep this thread from the next try."""
        with self._lock:
            leases = dict(self._leases)
        asked = time.monotonic()
        try:
            states = self._rpc.heartbeat_runs(
                self._executor_id,
                {run_id: lease.token for run_id, lease in leases.items()},
                self._seconds,
                [report for lease in leases.values() for report in lease.reports()],
            )
        except ControlRoomError as error:
            log.warning("leases not renewed", code=error.code, error=error.message)
            for lease in leases.values():
                if asked >= lease.until:
                    self._tell(lease, "lost", lease.lost)
            return False
        for state in states:
            lease = leases[state.run_id]
            if not state.held:
                self._tell(lease, "lost", lease.lost)
            else:
                lease.until = asked + self._seconds
                if state.cancel_requested:
                    self._tell(lease, "canceled", lease.canceled)
                elif state.cap_exceeded is not None:
                    self._tell(lease, "capped", partial(lease.capped, state.cap_exceeded))
        return True

    def _ask(self) -> None:
        try:
            draining = self._rpc.is_draining(self._executor_id)
        except ControlRoomError as error:
            # Until it is asked again no run is claimed: that is for the database to refuse.
            log.warning("not known whether to drain", code=error.code, error=error.message)
            return
        if draining:
            self._drained()

    def _tell(self, lease: Lease, what: str, call: Callable[[], None]) -> None:
        if what not in lease.told:
            lease.told.add(what)
            call()
