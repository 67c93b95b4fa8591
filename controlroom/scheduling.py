"""From what a person writes – a spec, options – to schedules and freshness rules of an environment, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from controlroom import processes
from controlroom.session import Session, session
from ops.errors import BadInput
from ops.schedules import Freshness, ScheduleRow, Schedules
from ops.settings import Settings
from pipelines.catalogue import git_sha, spec_path
from pipelines.cron import ticks
from pipelines.params import bound, named
from pipelines.spec import Pipeline, phase_outputs, spec_sha256
from pipelines.spec_schedule import Freshness as FreshnessSpec
from pipelines.spec_schedule import Schedule
from pipelines.spec_source import load


def apply(opened: Session, name: str, env: str) -> Iterator[str]:
    """Registers a spec and makes its schedule and freshness rules so; says what it did.

    The schedule is called as the pipeline is. Rules of datasets that the spec no longer names stay.
    """
    path = spec_path(name)
    pipeline = load(path)
    project_id = opened.project_id()
    version = opened.rpc.register_pipeline(
        project_id, pipeline.pipeline, pipeline.to_json(), spec_sha256(pipeline), git_sha(path.parent)
    )
    yield f"{pipeline.pipeline} is registered as version {version}"
    if pipeline.schedule is not None:
        made = pipeline.schedule.definition(pipeline.pipeline)
        made["params"] = typed(pipeline, pipeline.schedule.params, bool(pipeline.schedule.webhook))
        Schedules(opened.connection).put(project_id, env, pipeline.pipeline, made)
        yield f"schedule {pipeline.pipeline} in {env}: {pipeline.schedule.kind}"
    if pipeline.freshness is not None:
        rule = pipeline.freshness
        written = dict.fromkeys(table for phase in pipeline.phases for table in phase_outputs(phase))
        spans = (timedelta(seconds=rule.warn_after), timedelta(seconds=rule.error_after))
        for dataset in rule.datasets or [table for table in written if not table.startswith("quarantine.")]:
            Freshness(opened.connection).put_rule(project_id, env, dataset, *spans, rule.column)
            yield f"freshness of {dataset} in {env}"


def definition(opened: Session, pipeline: str, said: Mapping[str, object], params: Sequence[str]) -> dict[str, object]:
    """What ``ops.put_schedule`` takes, judged as a spec's ``schedule`` is.

    Raises:
        BadInput: with every fault.
    """
    given = named(params)
    try:
        schedule = Schedule.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        raise BadInput("; ".join(map(_words, error.errors()))) from error
    newest = Pipeline.from_json(Schedules(opened.connection).newest_spec(opened.project_id(), pipeline))
    return {**schedule.definition(pipeline), "params": typed(newest, given, bool(schedule.webhook))}


def typed(pipeline: Pipeline, given: Mapping[str, object], later: bool) -> dict[str, object]:
    """Values for a run's parameters as the spec types them; ``{tick}`` and ``{date}`` are left to the tick.

    Args:
        later: more may come with the event.

    Raises:
        BadInput: a run with these would be refused.
    """
    texts = {name: str(value) for name, value in given.items()}
    stands = {name: value for name, value in texts.items() if value in ("{tick}", "{date}")}
    asked = {name: p for name, p in pipeline.params.items() if name in given or p.default is not None or not later}
    values = bound(pipeline.model_copy(update={"params": asked}), {**texts, **dict.fromkeys(stands, "2026-01-01")})
    return {name: stands.get(name, values[name]) for name in given}


def _words(fault: ErrorDetails) -> str:
    where, said = ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def freshness_rule(warn_after: str, error_after: str, column: str | None) -> FreshnessSpec:
    """A rule from texts, judged as a spec's ``freshness`` is. Raises BadInput."""
    try:
        return FreshnessSpec.model_validate({"warn_after": warn_after, "error_after": error_after, "column": column})
    except ValidationError as error:
        raise BadInput("; ".join(map(_words, error.errors()))) from error


@contextmanager
def found(name: str, env: str | None) -> Iterator[tuple[Schedules, ScheduleRow]]:
    """A schedule of the settings' project by its name. Raises NotFound."""
    with session() as opened:
        schedules = Schedules(opened.connection)
        yield schedules, schedules.named(opened.project_id(), env or opened.settings.env, name)


def starts(row: ScheduleRow) -> str:
    """What it waits for, in a few words."""
    match row.kind:
        case "cron":
            return f"{row.cron} {row.timezone}"
        case "after_pipeline":
            return f"after {row.after_pipeline}"
        case "on_dataset":
            return f"when {row.dataset} changes"
        case "when_stale":
            return f"when {row.dataset} is {timedelta(seconds=row.stale_seconds or 0)} old"
        case _:
            return "webhook"


def upcoming(row: ScheduleRow, count: int) -> list[dict[str, object]]:
    """The next ticks of a clock, without their jitter.

    Raises:
        BadInput: it has no clock.
    """
    if row.cron is None:
        raise BadInput(f"schedule {row.slug} starts {starts(row)}; only cron has ticks that can be told before")
    zone = ZoneInfo(row.timezone)
    coming = islice(ticks(row.cron, row.timezone, datetime.now(UTC)), count)
    return [{"utc": f"{tick:%Y-%m-%d %H:%M}", "local": f"{tick.astimezone(zone):%Y-%m-%d %H:%M %Z}"} for tick in coming]


def hook_address(row: ScheduleRow) -> str:
    """Where its sender posts to: at the public address, or the page that this home started."""
    settings = Settings.load()
    page = processes.recorded(settings.home).get("dashboard")
    return f"{settings.public_url or (page.where if page else 'http://127.0.0.1:8501')}/hooks/{row.id}"
