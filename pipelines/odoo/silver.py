"""Bronze to silver: one row per key, deletes applied, every value in the contract's type.

Pure functions LazyFrame → LazyFrame; nothing is read until the caller sinks. All of it streams: what bronze holds once
(after a snapshot: everything) passes through untouched, and only keys with several rows are sorted.

Two shapes of a table:

- :func:`current`: the table itself, translations as the text of one language. Company-dependent columns are not in it.
- :func:`by_company`: one row per key and company with the company-dependent columns, typed by the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl

from ops.errors import BadInput, SchemaDrift
from pipelines.changes import DELETE, LSN, OP
from pipelines.contract import Column, Contract, Table, load

CONTRACT = Path(__file__).with_name("contract.yaml")
ORDER = (LSN, "_ingested_at")
# One `"company id": value` of a company-dependent object; a string value is taken whole, escapes included.
ENTRY = r'"\d+":\s*(?:"(?:[^"\\]|\\.)*"|[^,}\s]+)'
SIMPLE: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
    "text": pl.String(),
    "json": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "binary": pl.Binary(),
}


@cache
def contract() -> Contract:
    """The Odoo contract, read once a process."""
    return load(CONTRACT)


def polars_type(name: str) -> pl.DataType:
    """The Polars type of a contract type: money is Decimal, timestamps are UTC microseconds."""
    if name in SIMPLE:
        return SIMPLE[name]
    precision, scale = re.findall(r"\d+", name)
    return pl.Decimal(int(precision), int(scale))


def table_spec(name: str) -> Table:
    """The contract of one table.

    Raises:
        BadInput: the contract has no such table.
    """
    try:
        return contract().tables[name]
    except KeyError:
        raise BadInput(f"table {name!r} is not in the Odoo contract; see pipelines/odoo/contract.yaml") from None


def table(frames: Mapping[str, pl.LazyFrame], arguments: Mapping[str, object]) -> pl.LazyFrame:
    """:func:`current` for a transform phase: input ``bronze``, arguments ``table`` and, if wanted, ``language``."""
    language = arguments.get("language")
    return current(frames["bronze"], str(arguments["table"]), None if language is None else str(language))


def company_values(frames: Mapping[str, pl.LazyFrame], arguments: Mapping[str, object]) -> pl.LazyFrame:
    """:func:`by_company` for a transform phase: input ``bronze``, argument ``table``."""
    return by_company(frames["bronze"], str(arguments["table"]))


def current(bronze: pl.LazyFrame, name: str, language: str | None = None) -> pl.LazyFrame:
    """Silver of one table.

    Args:
        bronze: every row that was ever landed, with ``_op`` and at least one of ``_source_lsn``, ``_ingested_at``.
        name: the table's name in the contract.
        language: whose text to take from translations; the contract's language by default. Where that language is
            missing, the first one there is.

    Raises:
        SchemaDrift: bronze lacks a contracted column or has it in a type that cannot become the contract's, and the
            table's drift is ``freeze``.
    """
    table = table_spec(name)
    language = language or contract().language
    columns = {column: spec for column, spec in table.columns.items() if spec.meaning != "company_dependent"}
    schema = bronze.collect_schema()
    _refuse_drift(name, table, schema)
    rows = latest(bronze, table.key)
    typed = {column: _typed(column, spec, schema, table, language) for column, spec in columns.items()}
    if table.drift == "discard_row":
        fits = [expression.is_not_null() | pl.col(column).is_null() for column, expression in typed.items()]
        rows = rows.filter(pl.all_horizontal(fits))
    further: list[str] = []
    if table.drift == "evolve":
        further = [column for column in schema.names() if column not in table.columns and not column.startswith("_")]
    return rows.select(*(expression.alias(column) for column, expression in typed.items()), *further)


def latest(bronze: pl.LazyFrame, key: tuple[str, ...]) -> pl.LazyFrame:
    """The last row of each key, without keys whose last row is a delete.

    Later is: a higher ``_source_lsn`` (a row without one is older than any), then a higher ``_ingested_at``.
    Of rows that tie, a delete wins.
    """
    schema = bronze.collect_schema()
    order = [column for column in ORDER if column in schema]
    # A sort of everything costs five times as much and does not stream; most keys have one row.
    repeated = bronze.select(key).group_by(key).len().filter(pl.col("len") > 1).select(key)
    single = bronze.join(repeated, on=list(key), how="anti")
    deleted = pl.col(OP).eq(DELETE).fill_null(False) if OP in schema else pl.lit(False)
    last = (
        bronze.join(repeated, on=list(key), how="semi")
        .sort(*order, deleted, descending=True, nulls_last=True)
        .unique(subset=list(key), keep="first", maintain_order=True)
    )
    return pl.concat([single, last]).filter(~deleted)


def by_company(bronze: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The company-dependent columns of one table: a row per key and company that has any value.

    Odoo keeps them as ``{"1": 55.0, "2": 60.0}``; ``account_account.code_store`` goes by root company.

    Raises:
        BadInput: the table has no company-dependent column.
        SchemaDrift: as :func:`current`.
    """
    table = table_spec(name)
    columns = {column: spec for column, spec in table.columns.items() if spec.meaning == "company_dependent"}
    if not columns:
        raise BadInput(f"table {name} has no company-dependent column; use current()")
    schema = bronze.collect_schema()
    _refuse_drift(name, table, schema)
    rows = latest(bronze, table.key)
    key = [*table.key, "company_id"]
    parts = [_unfolded(rows, column, spec, table) for column, spec in columns.items() if column in schema]
    merged = pl.concat(parts, how="diagonal").group_by(key).agg(pl.all().drop_nulls().first())
    kinds = {column: polars_type(spec.value or "text") for column, spec in columns.items()}
    missing = {column: pl.lit(None, kind) for column, kind in kinds.items() if column not in schema}
    return merged.with_columns(**missing).select(*key, *columns)


def _unfolded(rows: pl.LazyFrame, column: str, spec: Column, table: Table) -> pl.LazyFrame:
    """One company-dependent column as key, company_id, value; null and false entries are no value."""
    entry = pl.col(column)
    company = entry.str.extract(r'^"(\d+)"', 1).cast(pl.Int32)
    # The value is wrapped again so that the JSON parser undoes the escapes of a text.
    text = (pl.lit('{"v":') + entry.str.replace(r'^"\d+":', "") + pl.lit("}")).str.json_path_match("$.v")
    kind = spec.value or "text"
    if kind != "bool":
        text = pl.when(text != "false").then(text)
    return (
        rows.select(*table.key, pl.col(column).str.extract_all(ENTRY))
        .explode(column, empty_as_null=False)
        .select(
            *table.key,
            company.alias("company_id"),
            _cast(text, pl.String(), kind, table.drift == "freeze").alias(column),
        )
        .drop_nulls()
    )


def _typed(column: str, spec: Column, schema: pl.Schema, table: Table, language: str) -> pl.Expr:
    """The expression that gives one silver column."""
    if column not in schema:
        return pl.lit(None, polars_type(spec.type))
    if spec.meaning == "translations":
        return _translation(pl.col(column), language)
    return _cast(pl.col(column), schema[column], spec.type, strict=table.drift == "freeze")


def _translation(value: pl.Expr, language: str) -> pl.Expr:
    wanted = value.str.json_path_match(f"$.{language}")
    return pl.coalesce(wanted, value.str.json_path_match("$.*"))


def _cast(value: pl.Expr, found: pl.DataType, kind: str, strict: bool) -> pl.Expr:
    target = polars_type(kind)
    if found == target:
        return value
    if isinstance(found, pl.Datetime) and found.time_zone is None:
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(found, pl.String) and kind == "bool":
        return value.replace_strict({"true": True, "t": True, "false": False, "f": False}, default=None)
    if isinstance(found, pl.String) and kind == "timestamp":
        return value.str.to_datetime(time_unit="us", time_zone="UTC", strict=strict)
    return value.cast(target, strict=strict)


def _castable(found: pl.DataType, kind: str) -> bool:
    """Whether values of that type can become the contract's at all; which of them do is seen row by row."""
    target = polars_type(kind)
    if found == target or isinstance(found, pl.String | pl.Null):
        return True
    if target.is_numeric():
        return found.is_numeric() and not (target.is_integer() and not found.is_integer())
    if kind == "timestamp":
        return isinstance(found, pl.Datetime)
    return kind == "text" and not found.is_nested()


def _refuse_drift(name: str, table: Table, schema: pl.Schema) -> None:
    """Raises SchemaDrift with every fault where the table is frozen or has lost its key."""
    watched = table.columns if table.drift == "freeze" else dict.fromkeys(table.key, Column(type="text"))
    faults = [f"column {column} is missing" for column in watched if column not in schema]
    if table.drift == "freeze":
        faults += [
            f"column {column} is {schema[column]}, the contract says {spec.type}"
            for column, spec in table.columns.items()
            if column in schema and not _castable(schema[column], spec.type)
        ]
    if faults:
        raise SchemaDrift(
            f"bronze of {name} no longer matches the contract: {'; '.join(faults)}. "
            "Change the source back, the contract to match, or the table's drift",
            {"table": name, "faults": faults},
        )
