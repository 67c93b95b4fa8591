"""Watches a run until it ends: a live bar for each phase on a terminal, a line for each event elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping

import typer

from controlroom.output import styled
from ops.model import EventType, PhaseStatus, RunId
from ops.reads import Reads
from ops.views import EventRow, PhaseRow, RunDetail

POLL_SECONDS = 0.3


def watch_run(reads: Reads, run_id: RunId) -> RunDetail:
    """Returns the run when it has ended. Ctrl-C stops the watching, not the run."""
    return _with_bars(reads, run_id) if sys.stdout.isatty() else _with_lines(reads, run_id)


def _news(reads: Reads, run_id: RunId) -> Iterator[tuple[RunDetail, list[EventRow]]]:
    """The run and its new events, again and again; the last pair is of the ended run."""
    seq = 0
    while True:
        # The run first: events that come between the two reads are then of a run that has not ended yet.
        run = reads.run(run_id)
        while events := reads.events(run_id, after_seq=seq):
            seq = events[-1].seq
            yield run, events
        yield run, []
        if run.status.terminal:
            return
        time.sleep(POLL_SECONDS)


def _with_lines(reads: Reads, run_id: RunId) -> RunDetail:
    run = reads.run(run_id)
    for run, events in _news(reads, run_id):  # noqa: B007 - the last one is the answer
        for event in events:
            if event.type not in (EventType.PHASE_PROGRESS, EventType.LEASE_RENEWED):
                typer.echo(" ".join(filter(None, [f"{event.ts:%H:%M:%S}", event.type, event.phase, event.message])))
    return run


def _with_bars(reads: Reads, run_id: RunId) -> RunDetail:
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    run = reads.run(run_id)
    columns = (
        TextColumn("{task.fields[name]:<32.32}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[state]}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    typer.echo(f"{run.pipeline} {run_id}")
    with Progress(*columns) as progress:
        tasks: dict[str, TaskID] = {}
        told: dict[str, EventRow] = {}
        for run, events in _news(reads, run_id):  # noqa: B007 - the last one is the answer
            told.update({str(e.phase): e for e in events if e.type is EventType.PHASE_PROGRESS})
            for phase in reads.phases(run_id):
                if phase.status is PhaseStatus.PENDING:
                    continue
                if phase.name not in tasks:
                    tasks[phase.name] = progress.add_task("", name=phase.name, state="", note="", total=None)
                _draw(progress, tasks[phase.name], phase, told.get(phase.name))
    return run


def _draw(progress: object, task: object, phase: PhaseRow, told: EventRow | None) -> None:
    from rich.progress import Progress, TaskID

    assert isinstance(progress, Progress)
    assert isinstance(task, int)
    facts: Mapping[str, object] = told.data if told else {}
    done, total = _number(facts.get("done")) or 0.0, _number(facts.get("total"))
    note = told.message if told else ""
    if phase.status is not PhaseStatus.RUNNING:
        done, total = 1.0, 1.0
        note = f"{phase.rows_out:,} rows" if phase.rows_out is not None else phase.error_code or ""
    progress.update(TaskID(task), completed=done, total=total, state=styled(phase.status), note=note)
    if phase.status is not PhaseStatus.RUNNING:
        progress.stop_task(TaskID(task))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
