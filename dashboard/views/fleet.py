"""The fleet as lines: who works, who has fallen silent, who was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    version: str
    heard: str
    since: str
    up: str
    leases: tuple[LeaseLine, ...]


def state_of(executor: FleetExecutor, patience: timedelta) -> str:
    """What the row says; ``silent`` where it says that it works and nothing was heard for longer than ``patience``."""
    late = executor.state != "lost" and executor.asked_at - executor.last_seen > patience
    return "silent" if late else executor.state


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
        str(executor.executor_id)[-12:],
        str(executor.executor_id),
        state,
        LOOKS[state],
        f"{len(leases)}/{executor.slots}",
        ", ".join(executor.capabilities) or "–",
        executor.host or "–",
        executor.version or "–",
        ago(executor.last_seen, now),
        exact(executor.last_seen),
        span((executor.last_seen if state == "lost" else now) - executor.registered_at),
        tuple(_lease(lease, now) for lease in leases),
    )


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
    named = sorted({line.host for line in lines})
    return f"{count(len(lines), 'executor')} on {count(len(named), 'host')}"
