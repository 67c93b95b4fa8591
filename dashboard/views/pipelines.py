"""Pipelines as lines, and what a pipeline's page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

from dashboard.views.dag import graph
from dashboard.views.run import Fact
from dashboard.views.words import ago, exact, span, tone
from ops.model import RunStatus
from ops.pipeline_reads import PastRun, PipelineDetail, PipelineSummary, Promotion
from ops.schedules import ScheduleRow

LOWEST_PERCENT = 14
# Pixels, as of the bars in style.css, which has an image for each tone as well.
BAR_WIDE, BAR_APART = 6, 8
Json = Mapping[str, Any]


@dataclass(frozen=True)
class EnvCell:
    """The last run of an environment, and the version that is promoted to it; either may be missing."""

    env: str
    version: str
    run_id: str
    status: str
    tone: str
    when: str
    exact: str


@dataclass(frozen=True)
class PipelineLine:
    link: str
    name: str
    where: str
    owner: str
    description: str
    version: str
    schedule: str
    envs: tuple[EnvCell, ...]
    share: str
    share_tone: str
    took: str
    bars: str


@dataclass(frozen=True)
class HistoryBar:
    """``height`` is percent of the longest of them; ``said`` is what a reader hears."""

    run_id: str
    tone: str
    height: int
    said: str


@dataclass(frozen=True)
class PhaseNode:
    name: str
    kind: str
    after: tuple[str, ...]
    description: str
    status: str
    tone: str


@dataclass(frozen=True)
class ParamLine:
    name: str
    type: str
    default: str
    choices: str
    description: str


def pipeline_link(org: str, project: str, slug: str) -> str:
    """The address of a pipeline's page."""
    return "pipeline?" + urlencode({"project": f"{org}/{project}", "name": slug})


def pipeline_lines(rows: Sequence[PipelineSummary], now: datetime) -> list[PipelineLine]:
    return [_line(row, now) for row in rows]


def _line(row: PipelineSummary, now: datetime) -> PipelineLine:
    share, share_tone = success(row.recent)
    envs = sorted({*row.promoted, *(run.env for run in row.latest)}, key=["dev", "stage", "prod"].index)
    last = {run.env: run for run in row.latest}
    return PipelineLine(
        pipeline_link(row.org, row.project, row.slug),
        row.slug,
        f"{row.org}/{row.project}",
        row.owner,
        row.description,
        f"{row.version}",
        schedule_words(row.schedule),
        tuple(_cell(env, row.promoted.get(env), last.get(env), now) for env in envs),
        share,
        share_tone,
        usual(row.recent),
        drawn_bars(row.recent),
    )


def _cell(env: str, version: int | None, run: PastRun | None, now: datetime) -> EnvCell:
    promoted = f"v{version}" if version is not None else ""
    if run is None:
        return EnvCell(env, promoted, "", "", "quiet", "", "")
    return EnvCell(
        env, promoted, str(run.run_id), run.status, tone(run.status), ago(run.created_at, now), exact(run.created_at)
    )


def success(runs: Sequence[PastRun]) -> tuple[str, str]:
    """``18 of 20`` with its tone: of the runs that succeeded or failed, how many succeeded."""
    ended = [run for run in runs if run.status in (RunStatus.SUCCEEDED, RunStatus.FAILED)]
    good = sum(run.status is RunStatus.SUCCEEDED for run in ended)
    if not ended:
        return "–", "quiet"
    return f"{good} of {len(ended)}", "good" if good == len(ended) else "bad" if good * 2 < len(ended) else "waits"


def usual(runs: Sequence[PastRun]) -> str:
    """The median of how long runs took that succeeded."""
    took = [run.seconds for run in runs if run.status is RunStatus.SUCCEEDED and run.seconds is not None]
    return span(timedelta(seconds=median(took))) if took else "–"


def drawn_bars(runs: Sequence[PastRun]) -> str:
    """The same as one background: an element for each bar of each pipeline would be most of what a list consists of."""
    heights = zip(reversed(runs), reversed(_heights(runs)), strict=True)
    bars = [
        f"var(--bar-{tone(run.status)}) {number * BAR_APART}px 100%/{BAR_WIDE}px {height}%"
        for number, (run, height) in enumerate(heights)
    ]
    return ",".join(bars) or "none"


def _heights(runs: Sequence[PastRun]) -> list[int]:
    longest = max((run.seconds or 0.0 for run in runs), default=0.0) or 1.0
    return [max(round((run.seconds or 0.0) / longest * 100), LOWEST_PERCENT) for run in runs]


def history_bars(runs: Sequence[PastRun], now: datetime) -> list[HistoryBar]:
    """Newest first becomes oldest first, as one reads."""
    return [
        HistoryBar(
            str(run.run_id),
            tone(run.status),
            height,
            f"{run.status}{f' in {span(timedelta(seconds=run.seconds))}' if run.seconds is not None else ''}, "
            f"{run.env}, {ago(run.created_at, now)} ({exact(run.created_at)})",
        )
        for run, height in zip(reversed(runs), reversed(_heights(runs)), strict=True)
    ]


def schedule_words(schedule: Json) -> str:
    """What a spec's schedule says, in a few words; nothing where it says nothing."""
    stale = schedule.get("when_stale")
    if cron := schedule.get("cron"):
        return f"{cron} ({schedule.get('timezone', 'UTC')})"
    if after := schedule.get("after"):
        return f"after {after}"
    if dataset := schedule.get("on_dataset"):
        return f"when {dataset} is new"
    if isinstance(stale, Mapping):
        return f"when {stale.get('dataset')} is old"
    return "by webhook" if schedule.get("webhook") else ""


def tick_words(row: ScheduleRow, now: datetime) -> tuple[str, str]:
    """When a schedule starts its pipeline next, and its tone."""
    if row.paused:
        return f"paused{f': {row.paused_reason}' if row.paused_reason else ''}", "waits"
    if row.next_at is None:
        return ("no time is left" if row.kind == "cron" else "when it happens"), "quiet"
    wait = row.next_at - now
    return (f"in {span(wait)}" if wait > timedelta(0) else "now"), "good"


def schedule_kind(row: ScheduleRow) -> str:
    """The same words for a schedule as it is applied."""
    return schedule_words(
        {
            "cron": row.cron,
            "timezone": row.timezone,
            "after": row.after_pipeline,
            "on_dataset": row.dataset if row.kind == "on_dataset" else None,
            "when_stale": {"dataset": row.dataset} if row.kind == "when_stale" else None,
            "webhook": row.kind == "webhook",
        }
    )


def facts(
    detail: PipelineDetail, runs: Sequence[PastRun], promoted: Mapping[str, Promotion], now: datetime
) -> list[Fact]:
    """The numbers under a pipeline's name."""
    latest = runs[:20]
    share, _ = success(latest)
    last = next((run for run in runs if run.status is RunStatus.SUCCEEDED), None)
    return [
        Fact("newest version", f"{detail.version}", ago(detail.created_at, now), exact(detail.created_at)),
        *(_runs(env, promoted.get(env), now) for env in ("stage", "prod")),
        Fact("succeeded", share, f"of the last {len(latest)} runs"),
        Fact("usually takes", usual(latest), "median of those that succeeded"),
        Fact("last success", ago(last.created_at, now), last.env, exact(last.created_at))
        if last
        else Fact("last success", "–", "none lately"),
    ]


def _runs(env: str, promotion: Promotion | None, now: datetime) -> Fact:
    if promotion is None:
        return Fact(f"{env} runs", "none", "nothing is promoted")
    at = promotion.promoted_at
    return Fact(f"{env} runs", f"{promotion.version}", f"for {span(now - at)}", exact(at))


def phase_nodes(spec: Json, states: Mapping[str, str]) -> list[PhaseNode]:
    """The spec's phases; ``states`` are those of a run, by name."""
    return [
        PhaseNode(
            str(phase.get("name", "")),
            str(phase.get("kind", "")),
            tuple(phase.get("depends_on", ())),
            str(phase.get("description", "")),
            states.get(phase.get("name", ""), ""),
            tone(states[phase["name"]]) if phase.get("name") in states else "quiet",
        )
        for phase in spec.get("phases", ())
    ]


def drawn(nodes: Sequence[PhaseNode]) -> dict[str, Any] | None:
    """What the template of the graph takes; None where the phases wait for each other in a circle."""
    found = graph({node.name: node.after for node in nodes})
    if found is None:
        return None
    by_name = {node.name: node for node in nodes}
    return {"graph": found, "boxes": [(box, by_name[box.name]) for box in found.boxes]}


def param_lines(spec: Json) -> list[ParamLine]:
    return [
        ParamLine(
            name,
            str(each.get("type", "")),
            "must be given" if each.get("default") is None else str(each["default"]),
            ", ".join(str(choice) for choice in each.get("choices", ())),
            str(each.get("description", "")),
        )
        for name, each in spec.get("params", {}).items()
    ]
