"""Whether each part of the installation lives, and which pipelines have runs in which state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from dashboard.views.fleet import state_of
from dashboard.views.pipelines import pipeline_link
from dashboard.views.runs import TILES, Tile, age_of
from dashboard.views.words import ago, count, exact, tone
from ops.fleet_reads import FleetExecutor
from ops.home_reads import Parts, PipelineCount
from ops.model import RunStatus

# The pipelines that are told of on the first page; the list of pipelines has all of them.
PIPELINES = 12


@dataclass(frozen=True)
class PartTile:
    """``exact`` is the moment behind ``more``, where that tells of one."""

    name: str
    value: str
    more: str
    tone: str
    link: str = ""
    exact: str = ""


@dataclass(frozen=True)
class PipelineStates:
    """``cells`` are number, tone and address of the runs in each state, in the order of the tiles."""

    name: str
    link: str
    where: str
    cells: tuple[tuple[int, str, str], ...]


def part_tiles(
    parts: Parts, executors: Sequence[FleetExecutor], patience: timedelta, superset: str | None = None
) -> list[PartTile]:
    """Postgres, steward, fleet, lake and Superset with the last sign of life of each.

    Args:
        superset: where people open Superset; None where that is not known.
    """
    now = parts.asked_at
    working = [each for each in executors if state_of(each, patience) == "active"]
    heard = max((each.last_seen for each in executors), default=None)
    silent = is_silent(parts, patience)
    return [
        PartTile("Postgres", "answers", f"version {parts.version.split()[0]}", "good"),
        PartTile(
            "steward", "silent" if silent else "works", _heard("round", parts.steward_at, now), _tone(not silent), "",
            _exact(parts.steward_at),
        ),
        PartTile(
            "fleet", count(len(working), "executor"), _heard("heard of", heard, now), _tone(bool(working)), "fleet",
            _exact(heard),
        ),
        PartTile(
            "lake", count(parts.tables, "table"), _heard("changed", parts.lake_at, now), "quiet", "data",
            _exact(parts.lake_at),
        ),
        PartTile(
            "Superset", count(parts.dashboards, "dashboard"), _heard("published", parts.superset_at, now), "quiet",
            superset or "", _exact(parts.superset_at),
        ),
    ]  # fmt: skip


def is_silent(parts: Parts, patience: timedelta) -> bool:
    """Whether the steward went no round for longer than ``patience``."""
    return parts.steward_at is None or parts.asked_at - parts.steward_at > patience


def _heard(what: str, at: datetime | None, now: datetime) -> str:
    return f"{what} {ago(at, now)}" if at else f"never {what}" if what != "round" else "went no round"


def _exact(at: datetime | None) -> str:
    return exact(at) if at else ""


def _tone(well: bool) -> str:
    return "good" if well else "bad"


def totals(rows: Iterable[PipelineCount]) -> dict[RunStatus, int]:
    """Runs by state, of all pipelines."""
    found = dict.fromkeys(RunStatus, 0)
    for row in rows:
        found[row.status] += row.runs
    return found


def throughput(rows: Iterable[PipelineCount]) -> Tile:
    """Runs that ended within an hour."""
    ended = sum(row.ended for row in rows)
    return Tile("ended in the last hour", ended, "good" if ended else "quiet")


def by_pipeline(rows: Iterable[PipelineCount]) -> list[PipelineStates]:
    """Those with failures first, then those with work; each number leads to its runs."""
    grouped: dict[tuple[str, str, str], dict[RunStatus, int]] = {}
    for row in rows:
        states = grouped.setdefault((row.org, row.project, row.pipeline), {})
        states[row.status] = states.get(row.status, 0) + row.runs
    ranked = sorted(grouped.items(), key=lambda each: (_rank(each[1]), each[0]))
    return [_states(*place, states) for place, states in ranked[:PIPELINES]]


def _rank(states: Mapping[RunStatus, int]) -> tuple[int, ...]:
    return tuple(-sum(states.get(status, 0) for status in TILES[name]) for name in ("failed", "queued", "running"))


def _states(org: str, project: str, pipeline: str, states: Mapping[RunStatus, int]) -> PipelineStates:
    cells = []
    for name, among in TILES.items():
        number = sum(states.get(status, 0) for status in among)
        query = {"status": name, "pipeline": pipeline, "project": f"{org}/{project}", **age_of(name)}
        cells.append((number, tone(name) if number else "quiet", "runs?" + urlencode(query)))
    return PipelineStates(pipeline, pipeline_link(org, project, pipeline), f"{org}/{project}", tuple(cells))
