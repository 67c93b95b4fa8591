"""Publish: a pinned table to its readers – an artifact of its bytes, a Postgres table that is swapped whole."""

from __future__ import annotations

import structlog

from ops.model import Artifact, Fingerprint, PhaseResult
from pipelines.frames import pinned
from pipelines.handler import Context
from pipelines.handlers.postgres_partition import publish_partition
from pipelines.handlers.postgres_table import publish_table
from pipelines.published import Published, made_by, tenant_of
from pipelines.spec import Phase, PublishPhase
from pipelines.storage import storage_errors

log = structlog.get_logger()
CONTENT_TYPES = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv; charset=utf-8"}


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a publish.

    Raises:
        SourceUnreachable: the target database does not answer.
        StorageFailed: the table cannot be read, or the disk below scratch or artifacts is full.
        LeaseLost: readers still see what was published before.
    """
    assert isinstance(phase, PublishPhase)
    one = pinned(ctx, phase.table)
    fingerprint = one.fingerprint or ctx.lake.fingerprint(phase.table, one.version).root
    rows = ctx.lake.rows(phase.table, one.version)
    ctx.progress(0, rows, phase.table)
    artifacts: tuple[Artifact, ...] = ()
    metrics: dict[str, object] = {"version": one.version}
    if phase.to.artifact is not None:
        artifacts = (_artifact(ctx, phase, one.version, fingerprint),)
    if (target := phase.to.postgres) is not None:
        publish = publish_partition if target.shared else publish_table
        metrics["postgres"] = _said(publish(ctx, target, _mine(ctx, phase, one.version, fingerprint)), target.table)
    if phase.to.superset:
        # Asked for, not done: it is certified by what the whole run came to.
        metrics["superset"] = "asked"
    ctx.progress(rows, rows, phase.table)
    return PhaseResult(
        rows_in=rows,
        rows_out=rows,
        byte_size=sum(artifact.byte_size for artifact in artifacts),
        output_fingerprint=fingerprint,
        metrics=metrics,
        artifacts=artifacts,
    )


def _mine(ctx: Context, phase: PublishPhase, version: int, fingerprint: Fingerprint) -> Published:
    assert phase.to.postgres is not None
    made = made_by(phase.to.postgres)
    return Published(phase.table, version, fingerprint, tenant_of(ctx.scope), str(ctx.run_id), made)


def _said(outcome: str, table: str) -> str:
    if outcome == "held":
        log.warning(
            "these rows were rolled back; other rows, or `controlroom publish rollback --to`, end that", table=table
        )
    elif outcome == "superseded":
        log.warning("a newer version was published meanwhile; readers keep it", table=table)
    return outcome


def _artifact(ctx: Context, phase: PublishPhase, version: int, fingerprint: Fingerprint) -> Artifact:
    assert phase.to.artifact is not None
    kind = phase.to.artifact.format
    path = ctx.scratch / f"{phase.name}.{kind}"
    frame = ctx.lake.scan(phase.table, version)
    with storage_errors(path.name):
        if kind == "parquet":
            frame.sink_parquet(path)
        else:
            frame.sink_csv(path)
    meta = {"table": phase.table, "version": version, "fingerprint": fingerprint}
    return ctx.artifacts.put_file(path.name, "table", path, CONTENT_TYPES[kind], meta)
