"""The fleet as lines: who works, who has fallen silent, who was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboard.views.runs import Tile
from dashboard.views.words import ago, count, exact, span
from ops.fleet_reads import FleetExecutor, FleetLease

LOOKS = {"active": "good", "draining": "busy", "silent": "waits", "lost": "bad"}


@dataclass(frozen=True)
class LeaseLine:
    run_id: str
    pipeline: str
    where: str
    phase: str
    ends: str
    exact: str
    tone: str


@dataclass(frozen=True)
class ExecutorLine:
    """``slots`` reads used/all; ``since`` is the exact moment behind ``heard``."""

    name: str
    short_id: str
    executor_id: str
    state: str
    tone: str
    slots: str
    capabilities: str
    host: str
    ray_node: str
    version: str
    asked: str
    heard: str
    since: str
    up: str
    leases: tuple[LeaseLine, ...]


def state_of(executor: FleetExecutor, patience: timedelta) -> str:
    """What the row says; ``silent`` where it says that it works and nothing was heard for longer than ``patience``."""
    late = executor.state != "lost" and executor.asked_at - executor.last_seen > patience
    return "silent" if late else executor.state


def may_drain(executors: Sequence[FleetExecutor], patience: timedelta) -> list[FleetExecutor]:
    """Those that take runs, and those that fell silent and would if they came back."""
    able = ("active", "silent")
    return [each for each in executors if state_of(each, patience) in able and not each.drain_asked_at]


def at_work(executors: Sequence[FleetExecutor], patience: timedelta) -> set[UUID]:
    """Those that take runs now."""
    return {each.executor_id for each in executors if state_of(each, patience) == "active"}


def executor_name(executor: FleetExecutor) -> str:
    """As it is chosen: names may be reused, the end of an id is what the table shows."""
    return f"{executor.name} · {_short(executor)} · {executor.host or 'no host named'}"


def drain_words(executor: FleetExecutor, leases: Sequence[FleetLease], others: Collection[UUID]) -> list[str]:
    """What a drain of the executor would do. ``others``: executors that go on taking runs.

    Only leases on runs that one may see are known here.
    """
    own = [lease for lease in leases if lease.executor_id == executor.executor_id]
    at_work = ", ".join(f"{lease.pipeline} ({lease.where})" for lease in own)
    return [
        f"{executor.name} is given no further run, and ends.",
        f"It is at {at_work}: phases that it is in may end, what is left goes back to the queue, and no attempt is spent."
        if own
        else "It is at no run that you may see.",
        f"{count(len(others), 'other executor')} go on taking runs." if len(others) > 1 else
        "One other executor goes on taking runs." if others else
        "No other executor takes runs: whatever is queued waits until one is started.",
    ]  # fmt: skip


def executor_lines(
    executors: Sequence[FleetExecutor], leases: Sequence[FleetLease], patience: timedelta
) -> tuple[list[ExecutorLine], list[ExecutorLine]]:
    """Those that are here, and those that were lost."""
    held: dict[object, list[FleetLease]] = {}
    for lease in leases:
        held.setdefault(lease.executor_id, []).append(lease)
    lines = [_line(each, held.get(each.executor_id, []), state_of(each, patience)) for each in executors]
    return [line for line in lines if line.state != "lost"], [line for line in lines if line.state == "lost"]


def fleet_tiles(executors: Sequence[FleetExecutor], leases: Sequence[FleetLease], patience: timedelta) -> list[Tile]:
    """Executors by state, and the slots of those that take runs now."""
    states = Counter(state_of(each, patience) for each in executors)
    working = {each.executor_id: each.slots for each in executors if state_of(each, patience) == "active"}
    used = Counter(lease.executor_id for lease in leases if lease.executor_id in working)
    free = sum(max(slots - used[executor], 0) for executor, slots in working.items())
    return [
        Tile("active", states["active"], "good" if states["active"] else "bad"),
        *(Tile(name, states[name], LOOKS[name] if states[name] else "quiet") for name in ("draining", "silent")),
        Tile("lost (last day)", states["lost"], "bad" if states["lost"] else "quiet"),
        Tile("slots used", used.total(), "busy" if used.total() else "quiet"),
        Tile("slots free", free, "good" if free else "waits" if working else "bad"),
    ]


def _line(executor: FleetExecutor, leases: Sequence[FleetLease], state: str) -> ExecutorLine:
    now = executor.asked_at
    return ExecutorLine(
        executor.name,
        _short(executor),
        str(executor.executor_id),
        state,
        LOOKS[state],
        f"{len(leases)}/{executor.slots}",
        ", ".join(executor.capabilities) or "–",
        executor.host or "–",
        executor.ray_node or "",
        executor.version or "–",
        _asked(executor, now),
        ago(executor.last_seen, now),
        exact(executor.last_seen),
        span((executor.last_seen if state == "lost" else now) - executor.registered_at),
        tuple(_lease(lease, now) for lease in leases),
    )


def _short(executor: FleetExecutor) -> str:
    return str(executor.executor_id)[-12:]


def _asked(executor: FleetExecutor, now: datetime) -> str:
    if executor.drain_asked_at is None:
        return ""
    return f"asked {ago(executor.drain_asked_at, now)}"


def _lease(lease: FleetLease, now: datetime) -> LeaseLine:
    left = lease.expires_at - now
    over = left <= timedelta(0)
    ends = f"lease ended {span(-left)} ago" if over else f"lease for {span(left)}"
    return LeaseLine(
        str(lease.run_id), lease.pipeline, lease.where, lease.phase or "", ends, exact(lease.expires_at),
        "bad" if over else "busy",
    )  # fmt: skip


def hosts(lines: Sequence[ExecutorLine]) -> str:
    """Where they are, in a few words."""
    named = {line.host for line in lines}
    nodes = {line.ray_node for line in lines} - {""}
    on_ray = f", {count(len(nodes), 'node')} of Ray" if nodes else ""
    return f"{count(len(lines), 'executor')} on {count(len(named), 'host')}{on_ray}"
