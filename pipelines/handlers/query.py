"""Query: SQL over pinned tables; its text, result, preview and manifest become artifacts."""

from __future__ import annotations

import json
import re

import polars as pl

from ops.model import PhaseResult
from pipelines.fingerprint import fingerprint
from pipelines.frames import pinned
from pipelines.handler import Context
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.process import Sandbox
from pipelines.spec import Phase, QueryPhase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a query.

    Raises:
        BadInput: the SQL is wrong.
        SchemaDrift: an input lacks a column that it names.
        StorageFailed: an input cannot be read, or the disk below scratch or artifacts is full.
        QueryLimitExceeded: it needs more memory, time or rows than a query may.
    """
    assert isinstance(phase, QueryPhase)
    inputs = [pinned(ctx, table) for table in phase.reads]
    rows_in = sum(ctx.lake.rows(one.table, one.version) for one in inputs)
    ctx.progress(0, rows_in, phase.name)
    with Sandbox(ctx.sql_limits) as sandbox:
        result = sandbox.ask(phase.sql, _given(ctx, phase), ctx.params)
        unenforced = sandbox.missing
    if not _ordered(phase.sql):
        # Groups come out in the order of the threads; the artifact of a repeat must have the same bytes.
        result = result.sort(pl.all())
    digest = fingerprint(result)
    path = ctx.scratch / f"{phase.name}.parquet"
    with storage_errors(path.name):
        result.write_parquet(path)
    manifest = {
        "sql": phase.sql,
        "params": dict(ctx.params),
        "inputs": {one.table: one.version for one in inputs},
        "schema": {name: str(kind) for name, kind in result.schema.items()},
        "rows": result.height,
        "fingerprint": digest.root,
    }
    put = ctx.artifacts.put_bytes
    artifacts = (
        put(f"{phase.name}.sql", "sql", phase.sql.encode(), "application/sql"),
        ctx.artifacts.put_file(f"{phase.name}.parquet", "result", path, "application/vnd.apache.parquet"),
        put(f"{phase.name}.preview.json", "preview", _preview(result, phase.preview_rows), "application/json"),
        put(f"{phase.name}.manifest.json", "manifest", _json(manifest), "application/json"),
    )
    ctx.progress(rows_in, rows_in, phase.name)
    return PhaseResult(
        rows_in=rows_in,
        rows_out=result.height,
        byte_size=path.stat().st_size,
        output_fingerprint=digest.root,
        metrics={"sandbox_unenforced": list(unenforced)} if unenforced else {},
        artifacts=artifacts,
    )


def _given(ctx: Context, phase: QueryPhase) -> dict[str, GivenTable]:
    pins = {alias: pinned(ctx, table) for alias, table in phase.inputs.items()}
    options = ctx.lake.storage.options
    return {alias: GivenTable(ctx.lake.path(pin.table), pin.version, options) for alias, pin in pins.items()}


def _ordered(sql: str) -> bool:
    """Whether the outermost query has an order of its own; one within parentheses is a window's or a subquery's."""
    text, inner = sql, ""
    while text != inner:
        inner, text = text, re.sub(r"\([^()]*\)", "", text)
    return re.search(r"\border\s+by\b", text, re.IGNORECASE) is not None


def _preview(result: pl.DataFrame, rows: int) -> bytes:
    # Decimals as text: JSON numbers are floats to most readers.
    return _json(result.head(rows).to_dicts())


def _json(value: object) -> bytes:
    return json.dumps(value, default=str, indent=1, ensure_ascii=False).encode()
