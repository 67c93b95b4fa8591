"""From options to a backfill, and a backfill in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from controlroom.output import length
from controlroom.scheduling import typed
from controlroom.session import Session, session
from ops.backfills import BackfillPlan, BackfillRow, Backfills
from ops.schedules import Schedules
from pipelines.params import named
from pipelines.spec import Pipeline

SHOWN = 10


def ordered(
    opened: Session,
    pipeline: str,
    said: Mapping[str, object],
    params: Sequence[str],
    env: str | None,
    key: str | None = None,
    dry_run: bool = False,
) -> BackfillPlan:
    """Orders a backfill of a registered pipeline, or only says what it would be.

    Args:
        said: fields of the definition; None and nothing at all are not said.
        params: NAME=VALUE, for parameters that do not carry the partition.

    Raises:
        BadInput: with what is wrong in the definition.
        NotFound: no such pipeline.
    """
    given = named(params)
    project_id = opened.project_id()
    newest = Pipeline.from_json(Schedules(opened.connection).newest_spec(project_id, pipeline))
    definition = {
        "pipeline": pipeline,
        "params": typed(newest, given, later=True),
        **{name: value for name, value in said.items() if value not in (None, [])},
    }
    return Backfills(opened.connection).start(project_id, env or opened.settings.env, definition, key, dry_run)


def in_words(plan: BackfillPlan) -> Iterator[str]:
    """What it is, what to expect, and the first of its chunks."""
    told = plan.estimate
    yield (
        f"{plan.pipeline} version {plan.version} in {plan.env}: {plan.partitions} partitions in {told.runs} runs, "
        f"{told.parallel} at a time"
    )
    if told.seconds is None or told.executor_seconds is None:
        yield f"no run of {plan.pipeline} has succeeded in {plan.env} yet: there is nothing to estimate from"
    else:
        yield (
            f"about {length(timedelta(seconds=told.seconds))}, {length(timedelta(seconds=told.executor_seconds))} of "
            f"executors, {told.rows or 0:,} rows, {(told.bytes or 0) / 1e6:,.1f} MB, by {told.from_runs} runs before"
        )
    for chunk in plan.chunks[:SHOWN]:
        yield f"  {chunk.first}" + (f" up to {chunk.until}" if chunk.until and chunk.partitions > 1 else "")
    if len(plan.chunks) > SHOWN:
        yield f"  … {len(plan.chunks) - SHOWN} more, the last {plan.chunks[-1].first}"


def shown(row: BackfillRow) -> dict[str, object]:
    """A line of the list."""
    return {
        **vars(row),
        "partition": str(row.partition.get("param")),
        "range": row.first if row.first == row.last else f"{row.first} … {row.last}",
        "done": f"{row.succeeded}/{row.chunks}",
    }


@contextmanager
def found(text: str) -> Iterator[tuple[Backfills, BackfillRow]]:
    """A backfill by its id or first digits. Raises NotFound."""
    with session() as opened:
        backfills = Backfills(opened.connection)
        yield backfills, backfills.resolve(text)
