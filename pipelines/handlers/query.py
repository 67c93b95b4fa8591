"""Query: SQL over pinned tables; its text, plan, result, preview and manifest become artifacts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ops.errors import NotFound, PhaseFailed, SchemaDrift, SecretMissing, StorageFailed
from ops.model import Artifact, PhaseResult
from pipelines.fingerprint import fingerprint
from pipelines.frames import pinned, unfit
from pipelines.handler import Context
from pipelines.sandbox.engines import engine_of
from pipelines.sandbox.gate import admit
from pipelines.sandbox.job import EMBEDDED, GivenTable
from pipelines.sandbox.naming import table_of
from pipelines.sandbox.process import Sandbox
from pipelines.sandbox.servers.address import Server, server_of
from pipelines.spec import Phase, QueryPhase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Carries out a query, or gives the answer that is known.

    Raises:
        BadInput: the SQL is wrong.
        NotFound: a table, or the version of it that is named, is not there any more.
        SchemaDrift: an input lacks a column that it names.
        StorageFailed: an input cannot be read, or the disk below scratch or artifacts is full.
        QueryLimitExceeded: it needs more memory, time or rows than a query may.
        SecretMissing, NotAllowed, SourceUnreachable, PhaseFailed: of the server, for an engine that is one.
    """
    assert isinstance(phase, QueryPhase)
    asked = _Asked.of(ctx, phase) if phase.engine == EMBEDDED else _Asked.of_server(ctx, phase)
    # What is another answer tomorrow is never kept, and not looked for.
    if ctx.answers is not None and asked.steady and (known := ctx.answers.known(asked.key)) is not None:
        metrics = {**asked.metrics, "cached_from": str(known.run_id)}
        return replace(known.result, metrics=metrics)
    rows_in = _rows_in(ctx, asked.versions)
    ctx.progress(0, rows_in, phase.name)
    with Sandbox(ctx.sql_limits) as sandbox, _told(ctx, asked.personal and asked.server is None):
        result = sandbox.ask(phase.sql, asked.tables, ctx.params, engine=phase.engine, server=asked.server)
        unenforced, plan, by = sandbox.missing, sandbox.plan, sandbox.engine
    if asked.server is None and not _ordered(phase.sql):
        # Groups come out in the order of the threads; the artifact of a repeat must have the same bytes.
        result = result.sort(pl.all())
    digest = fingerprint(result)
    path = ctx.scratch / f"{phase.name}.parquet"
    with storage_errors(path.name):
        result.write_parquet(path)
    ctx.progress(rows_in, rows_in, phase.name)
    return PhaseResult(
        rows_in=rows_in,
        rows_out=result.height,
        byte_size=path.stat().st_size,
        output_fingerprint=digest.root,
        metrics={
            **asked.metrics,
            **({"sandbox_unenforced": list(unenforced)} if unenforced else {}),
            **({"server": phase.engine} if asked.server is not None else {}),
            **({"answer_key": asked.key} if asked.steady and ctx.rights.question else {}),
        },
        artifacts=_artifacts(ctx, phase, asked, result, digest.root, path, plan, by),
    )


@dataclass(frozen=True)
class _Asked:
    """What the answer follows from.

    Attributes:
        sql: as the engine gets it.
        tables: by the names that the SQL uses.
        versions: of the tables, by the names that the run has for them.
        masked: by the same, columns that read as null.
        personal: what is or may be personal data is shown.
        server: whom the engine asks; None where it computes itself.
    """

    sql: str
    tables: Mapping[str, GivenTable]
    versions: Mapping[str, int]
    masked: Mapping[str, Sequence[str]]
    personal: bool
    steady: bool
    key: str
    server: Server | None = None

    @classmethod
    def of(cls, ctx: Context, phase: QueryPhase) -> _Asked:
        inputs = phase.inputs or {name: name for name in phase.named}
        admitted = admit(phase.sql, [*inputs, *(["params"] if ctx.params else [])])
        masked: dict[str, Sequence[str]] = {}
        personal = False
        for table in inputs.values():
            columns = ctx.rights.personal.get(table, ())
            # A column that the SQL does not mention cannot come into the answer, whatever else the SQL does.
            shown = {
                name for name in columns if ctx.rights.shown and {"*", name.lower()}.intersection(admitted.mentions)
            }
            personal = personal or bool(shown)
            if hidden := sorted(set(columns) - shown):
                masked[table] = hidden
        pins = {table: pinned(ctx, table).version for table in inputs.values()}
        options = ctx.lake.storage.options
        tables = {
            name: GivenTable(ctx.lake.path(table_of(table)), pins[table], options, tuple(masked.get(table, ())))
            for name, table in inputs.items()
        }
        facts = [
            3, admitted.sql, dict(ctx.params), phase.engine, engine_of(phase.engine).identity, pins, masked, personal,
            phase.preview_rows,
        ]  # fmt: skip
        key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
        return cls(admitted.sql, tables, pins, masked, personal, admitted.steady, key)

    @classmethod
    def of_server(cls, ctx: Context, phase: QueryPhase) -> _Asked:
        """Nobody here knows which of a server's columns are personal data, nor when its tables change: what it says is for
        editors, and never stands for asking again."""
        scope = ctx.scope
        reference = ctx.sql_servers[phase.engine]
        for name, value in (("{org}", scope.org), ("{project}", scope.project), ("{env}", scope.env)):
            reference = reference.replace(name, value)
        try:
            address = ctx.secrets.resolve(reference)
        except SecretMissing as error:
            where = f"{scope.org}/{scope.project}/{scope.env}"
            raise SecretMissing(
                f"engine {phase.engine} has no server in {where}: {error.message}; docs/warehouse.md says what to store",
                error.data,
            ) from None
        return cls(phase.sql, {}, {}, {}, True, False, "", server_of(phase.engine, address))

    @property
    def metrics(self) -> dict[str, object]:
        return {
            **({"masked": {table: list(names) for table, names in self.masked.items()}} if self.masked else {}),
            **({"personal": True} if self.personal else {}),
        }


def _artifacts(
    ctx: Context, phase: QueryPhase, asked: _Asked, result: pl.DataFrame, digest: str, path: Path, plan: str, by: str
) -> tuple[Artifact, ...]:
    manifest = {
        "sql": phase.sql,
        "params": dict(ctx.params),
        "engine": phase.engine,
        "engine_version": by,
        "inputs": dict(asked.versions),
        "masked": {table: list(names) for table, names in asked.masked.items()},
        "schema": {name: str(kind) for name, kind in result.schema.items()},
        "rows": result.height,
        "fingerprint": digest,
    }
    # Row-level security gives what says so to editors only.
    meta = {"personal": True} if asked.personal else {}
    put = ctx.artifacts.put_bytes
    preview = _preview(result, phase.preview_rows)
    planned = put(
        f"{phase.name}.plan.txt", "plan", plan.encode(), "text/plain", meta if asked.server is not None else {}
    )
    return (
        put(f"{phase.name}.sql", "sql", phase.sql.encode(), "application/sql"),
        planned,
        ctx.artifacts.put_file(f"{phase.name}.parquet", "result", path, "application/vnd.apache.parquet", meta),
        put(f"{phase.name}.preview.json", "preview", preview, "application/json", meta),
        put(f"{phase.name}.manifest.json", "manifest", _json(manifest), "application/json"),
    )


def _rows_in(ctx: Context, versions: Mapping[str, int]) -> int:
    try:
        return sum(ctx.lake.rows(table_of(table), version) for table, version in versions.items())
    except StorageFailed as error:
        if pins := [table for table in versions if table != table_of(table)]:
            raise NotFound(f"the lake has not kept {', '.join(pins)}: {error.message}", {"tables": pins}) from error
        raise


@contextmanager
def _told(ctx: Context, personal: bool) -> Iterator[None]:
    """What an engine says against a value may quote it, and errors are read by whoever sees the run."""
    try:
        yield
    except (SchemaDrift, PhaseFailed) as error:
        fault = unfit(error) if ctx.rights.question and isinstance(error, SchemaDrift) else error
        if not personal:
            raise fault from None
        raise type(fault)(
            "the engine refuses a column, a type or a value; what it says may quote personal data and is not kept: ask "
            "without such columns to read it"
        ) from None


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
