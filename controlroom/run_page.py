"""Everything that ``run show`` says about one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import typer

from controlroom.limit_desk import plain
from controlroom.output import ago, length, show, styled
from controlroom.session import Session
from ops.limits import Limits, UsageRow, Waiting
from ops.model import ChainCheck, RunId
from ops.views import ArtifactRow, CheckResult, DatasetVersionRow, PhaseRow, RunDetail


@dataclass(frozen=True)
class RunPage:
    run: RunDetail
    phases: list[PhaseRow]
    datasets: list[DatasetVersionRow]
    artifacts: list[ArtifactRow]
    checks: list[CheckResult]
    event_chain: ChainCheck
    usage: list[UsageRow]
    waits_for: Waiting | None


def page(session: Session, run_id: RunId) -> RunPage:
    """Reads a run whole.

    Raises:
        NotFound: there is none.
    """
    reads, limits = session.reads, Limits(session.connection)
    return RunPage(
        reads.run(run_id),
        reads.phases(run_id),
        reads.dataset_versions(run_id),
        reads.artifacts(run_id),
        reads.check_results(run_id),
        session.rpc.verify_event_chain(run_id),
        limits.usage(run_id),
        limits.why_waiting(run_id),
    )


def print_page(page: RunPage) -> None:
    """Prints it for a person."""
    from rich.console import Console

    run, chain = page.run, page.event_chain
    score = "" if run.score is None else f" · score {run.score}"
    console = Console()
    console.print(f"[bold]{run.pipeline}[/bold] {run.run_id} {styled(run.status)}{score}")
    console.print(
        f"{run.org}/{run.project}/{run.env} · version {run.pipeline_version} · git {run.git_sha[:12]} · "
        f"{run.trigger} · attempt {run.attempt} of {run.max_attempts} · created {ago(run.created_at)}"
    )
    state = "whole" if chain.ok else f"[bold red]broken at {chain.first_bad_seq}[/bold red]"
    console.print(f"{chain.events} events, chain {state}")
    if run.score_sentence:
        console.print(run.score_sentence, markup=False, highlight=False)
    if run.error_code:
        typer.echo(f"{run.error_code}: {run.error_message}")
    if page.waits_for:
        typer.echo(f"waits: {page.waits_for.said}")
    typer.echo()
    show([_phase(row) for row in page.phases], ["phase", "kind", "status", "took", "rows_out", "fingerprint"], False)
    if page.checks:
        columns = ["rule", "phase", "on_fail", "ok", "checked", "failed", "dropped", "quarantined", "observed"]
        show([vars(row) for row in page.checks], columns, False, "\nRules")
    if page.usage:
        columns = ["phase", "tries", "cpu", "peak_memory", "read", "written", "cost"]
        show([*map(_used, page.usage), _used(_total(page.usage))], columns, False, "\nUsed")
    if page.datasets:
        columns = ["table", "version", "mode", "rows", "total_rows", "adopted"]
        show([vars(row) for row in page.datasets], columns, False, "\nTables")
    if page.artifacts:
        columns = ["name", "kind", "phase", "byte_size", "sha256"]
        show([vars(row) for row in page.artifacts], columns, False, "\nArtifacts")


def _phase(row: PhaseRow) -> Mapping[str, object]:
    took = (row.finished_at or datetime.now(UTC)) - row.started_at if row.started_at else None
    return {
        "phase": row.name,
        "kind": row.kind,
        "status": row.status,
        "took": None if took is None else length(took),
        "rows_out": row.rows_out,
        "fingerprint": (row.output_fingerprint or "")[:16],
    }


def _total(rows: list[UsageRow]) -> UsageRow:
    costs = [row.cost for row in rows if row.cost is not None]
    return UsageRow(
        phase="in all",
        tries=sum(row.tries for row in rows),
        seconds=sum((row.seconds for row in rows), Decimal(0)),
        cpu_seconds=sum((row.cpu_seconds for row in rows), Decimal(0)),
        peak_memory_bytes=max(row.peak_memory_bytes for row in rows),
        read_bytes=sum(row.read_bytes for row in rows),
        written_bytes=sum(row.written_bytes for row in rows),
        cost=sum(costs, Decimal(0)) if costs else None,
        currency=next((row.currency for row in rows if row.currency), None),
    )


def _used(row: UsageRow) -> Mapping[str, object]:
    return {
        "phase": row.phase,
        "tries": row.tries,
        "cpu": f"{plain(row.cpu_seconds)} s",
        "peak_memory": _megabytes(row.peak_memory_bytes),
        "read": _megabytes(row.read_bytes),
        "written": _megabytes(row.written_bytes),
        "cost": "no price" if row.cost is None else f"{plain(row.cost, 6)} {row.currency}",
    }


def _megabytes(size: int) -> str:
    return f"{plain(Decimal(size) / 1_000_000, 1)} MB"
