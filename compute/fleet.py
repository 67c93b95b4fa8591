"""The fleet: executors as named, detached Ray actors, which outlive whoever started them.

``python -m compute.fleet start|status|drain`` works on ``RAY_ADDRESS``, also as the entry point of ``ray job submit``. ``start
--stay`` is how a fleet is meant to be run: Ray ends every idle worker of a job whose driver has gone, and each phase would
begin with seconds of imports (measured: 1.3 s a phase, against 5 ms). SIGTERM drains it; SIGUSR1 starts what is missing of
it, such as an executor that the control room asked to drain.

Ray restarts an actor that dies (``max_restarts=-1``) and never repeats a call (``max_task_retries=0``); each boot is a new
executor with a new id, and what the dead one owned comes back when its leases end.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from queue import SimpleQueue

import ray
import structlog

from compute.cluster import NAMESPACE
from compute.executor import LeasedExecutor, Options, named
from compute.hands.ray_tasks import RayHands, warm_up
from compute.phase_work import Places
from ops import logs
from ops.database import database_url
from ops.errors import ControlRoomError, DatabaseUnavailable, StackFailed
from ops.secrets import SecretStore
from ops.settings import Settings

log = structlog.get_logger()
PREFIX = "executor-"
# What an executor takes without its phases. Ray spreads only what asks for something: with nothing, all stood on one node.
EXECUTOR_MEMORY_BYTES = 256 * 2**20
START_SECONDS = 60.0
# So long Ray may take to end an actor that asks for it.
LEAVE_SECONDS = 10.0


@dataclass(frozen=True)
class Member:
    """One executor of the fleet and the Ray node it is on; all but the name are None where its actor does not answer."""

    name: str
    executor_id: str | None = None
    owned: int | None = None
    node: str | None = None
    draining: bool | None = None


class ExecutorActor:
    """A leased executor whose phases are Ray tasks."""

    def __init__(self, options: Options, places: Places) -> None:
        logs.configure(SecretStore(places.home).redact)
        here = {"ray_node": ray.get_runtime_context().get_node_id()}
        self._executor = LeasedExecutor(replace(options, labels=here), places, RayHands())
        self._thread = threading.Thread(target=self._work, name="executor", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._executor.work()
        except BaseException:
            log.exception("executor stopped")
        else:
            if not self._executor.drain_asked:
                # Whoever drains the fleet ends its actors.
                return
        self._leave()

    def _leave(self) -> None:
        """Ends the actor, which without its executor would look alive and do nothing. Ray starts it anew, unless the executor
        was asked to drain: then the next start of the fleet does."""
        if self._executor.drain_asked:
            try:
                ray.kill(ray.get_runtime_context().current_actor)
                time.sleep(LEAVE_SECONDS)
            except Exception:
                log.exception("a drained actor is not ended for good")
        os._exit(1)

    def about(self) -> tuple[str, int, str, bool]:
        """The executor's id, the number of runs that it owns, its node, and whether it was asked to drain."""
        executor = self._executor
        return str(executor.id), executor.owned, ray.get_runtime_context().get_node_id(), executor.drain_asked

    def takes_runs(self) -> bool:
        """Whether nobody has asked it to drain; as far as it knows, where Postgres is what it waits for."""
        try:
            return not self._executor.drains()
        except DatabaseUnavailable:
            return not self._executor.drain_asked

    def drain(self) -> None:
        """Returns when nothing is owned any more."""
        self._executor.drain()
        self._thread.join()


def join_cluster(address: str) -> None:
    """Connects this process to the cluster.

    Raises:
        StackFailed: it does not answer.
    """
    try:
        ray.init(
            address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.WARNING, ignore_reinit_error=True
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise StackFailed(f"no Ray cluster answers at {address}: {error}; start one or set RAY_ADDRESS") from error


def start(settings: Settings, size: int, slots: int = 2, capabilities: Sequence[str] = ()) -> list[str]:
    """Makes sure that ``size`` executors exist and take runs; returns their names. One that drains is waited for and replaced.

    Raises:
        StackFailed: they do not within a minute.
    """
    places = Places.of(settings, database_url(settings))
    names = [f"{PREFIX}{number}" for number in range(size)]
    until, missing = time.monotonic() + START_SECONDS, names
    while True:
        for name in missing:
            _begin(Options(name, slots, settings.lease_seconds, capabilities), places)
        missing = [name for name in missing if not _takes_runs(name, max(until - time.monotonic(), 1.0))]
        if not missing:
            return names
        if time.monotonic() > until:
            raise StackFailed(
                f"{', '.join(missing)} did not begin to take runs within {START_SECONDS:.0f} s; an executor that drains has to "
                "end first: `python -m compute.fleet status` shows which do"
            )
        time.sleep(0.5)


def _begin(options: Options, places: Places) -> None:
    """The actor of that name, where there is none. It outlives whoever began it."""
    ray.remote(ExecutorActor).options(
        name=options.name, lifetime="detached", get_if_exists=True,
        num_cpus=0, memory=EXECUTOR_MEMORY_BYTES, scheduling_strategy="SPREAD",
        max_restarts=-1, max_task_retries=0, max_concurrency=4,
    ).remote(options, places)  # fmt: skip


def _takes_runs(name: str, timeout_seconds: float) -> bool:
    try:
        # By name, not by a handle: the stubs do not know that a method of an actor has remote().
        return bool(ray.get(ray.get_actor(name).takes_runs.remote(), timeout=timeout_seconds))
    except (ray.exceptions.RayError, ValueError):
        return False


def status(timeout_seconds: float = 2.0) -> list[Member]:
    """Each executor of the fleet. Whether it owns anything for good is for the leases to say, not for Ray."""
    return [_member(name, timeout_seconds) for name in _names()]


def _member(name: str, timeout_seconds: float) -> Member:
    executor_id: str
    owned: int
    node: str
    draining: bool
    try:
        executor_id, owned, node, draining = ray.get(ray.get_actor(name).about.remote(), timeout=timeout_seconds)
        return Member(name, executor_id, owned, node, draining)
    except (ray.exceptions.RayError, ValueError):
        return Member(name)


def drain(timeout_seconds: float = 60.0) -> None:
    """Lets every executor finish or give back what it owns, then ends the actors."""
    actors = []
    for name in _names():
        # One that was asked to drain may end meanwhile.
        with suppress(ValueError):
            actors.append(ray.get_actor(name))
    done, late = (
        ray.wait([actor.drain.remote() for actor in actors], num_returns=len(actors), timeout=timeout_seconds)
        if actors
        else ([], [])
    )
    if late:
        log.warning("executors did not drain in time", late=len(late), drained=len(done))
    for actor in actors:
        ray.kill(actor)


def _resources() -> dict[str, float]:
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found


def _names() -> list[str]:
    return sorted(name for name in ray.util.list_named_actors() if name.startswith(PREFIX))


def stay(settings: Settings, size: int, slots: int, capabilities: Sequence[str]) -> None:
    """Starts the fleet, warms workers and remains its driver until SIGTERM or SIGINT, then drains. SIGUSR1 starts what is
    missing of it again."""
    told: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, lambda each, _: told.put(each))
    start(settings, size, slots, capabilities)
    warm_up(int(_resources().get("CPU", 1)))
    log.info("fleet ready", executors=size, slots=slots)
    while told.get() == signal.SIGUSR1:
        try:
            start(settings, size, slots, capabilities)
        except ControlRoomError as error:
            log.warning("the fleet is not whole", code=error.code, error=error.message)
    drain()


def main() -> int:
    """The command line; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m compute.fleet", description=__doc__)
    parser.add_argument("action", choices=["start", "status", "drain"])
    parser.add_argument("--address", default=os.environ.get("RAY_ADDRESS", "auto"))
    parser.add_argument("--size", type=int, default=2, help="executors")
    parser.add_argument("--slots", type=int, default=2, help="runs that each owns at once")
    parser.add_argument("--capabilities", type=named, default=(), help="what each can do: gpu,odoo")
    parser.add_argument("--stay", action="store_true", help="with start: remain, keep workers warm, drain on SIGTERM")
    arguments = parser.parse_args()
    settings = Settings.load()
    logs.configure(SecretStore(settings.home).redact)
    join_cluster(arguments.address)
    if arguments.action == "start" and arguments.stay:
        stay(settings, arguments.size, arguments.slots, arguments.capabilities)
        return 0
    if arguments.action == "start":
        start(settings, arguments.size, arguments.slots, arguments.capabilities)
    elif arguments.action == "drain":
        drain()
    sys.stdout.write(json.dumps([asdict(member) for member in status()]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
