"""Compare: a table as a refresh made it beside the version that readers have."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import polars as pl
import polars.selectors as cs
from blake3 import blake3

from ops.model import Fingerprint, PhaseResult
from pipelines.fingerprint import fingerprint, is_lineage
from pipelines.frames import pinned, polars_errors
from pipelines.handler import Context
from pipelines.refresh import ComparePhase
from pipelines.spec import Phase
from pipelines.storage import storage_errors


def handle(ctx: Context, phase: Phase) -> PhaseResult:
    """Compares rows, columns, the fingerprint of each column, sums and, by key, rows.

    Returns:
        ``metrics.comparison``: ``table``, ``version`` and ``former``; ``rows``; ``columns`` that were added, removed or
        retyped; ``changed``: columns whose content differs; ``sums`` of numeric columns, as text; ``keys``: rows that only
        one of them has, and that differ, None where there is no key that names a row; ``differs``: in one number each.
        Shares are of what was there before, 1 where there was nothing.
    """
    assert isinstance(phase, ComparePhase)
    new = pinned(ctx, phase.table).version
    with polars_errors(phase.name), storage_errors(phase.table):
        comparison = compared(ctx, phase, new)
    text = json.dumps(comparison, sort_keys=True)
    return PhaseResult(
        rows_in=ctx.lake.rows(phase.table, new),
        rows_out=0,
        output_fingerprint=Fingerprint(f"v1:blake3:{blake3(text.encode()).hexdigest()}"),
        metrics={"comparison": comparison},
    )


def compared(ctx: Context, phase: ComparePhase, new: int) -> dict[str, object]:
    table, old = phase.table, phase.against
    after = ctx.lake.scan(table, new)
    types = ctx.lake.schema(table, new)
    was = types if old is None else ctx.lake.schema(table, old)
    before = after.clear() if old is None else ctx.lake.scan(table, old)
    columns = {
        "added": [name for name in types if name not in was],
        "removed": [name for name in was if name not in types],
        "retyped": [name for name in types if name in was and was[name] != types[name]],
    }
    same = [name for name in types if was.get(name) == types[name]]
    rows = (0 if old is None else ctx.lake.rows(table, old), ctx.lake.rows(table, new))
    sums = _sums(before, after, same)
    return {
        "table": table,
        "version": new,
        "former": old,
        "rows": {"before": rows[0], "after": rows[1], "share": _share(*rows)},
        "columns": columns,
        "changed": _changed(before, after, same, phase.key),
        "sums": sums,
        "keys": _keys(before, after, same, phase.key),
        "differs": {
            "rows": _share(*rows),
            "columns": sum(len(names) for names in columns.values()),
            "sums": max((float(str(one["share"])) for one in sums.values()), default=0.0),
        },
    }


def _share(before: int | float | Decimal, after: int | float | Decimal) -> float:
    """By how much of what was there before it differs."""
    if before == after or str(before) == str(after):
        return 0.0
    share = abs(float(after) - float(before)) / abs(float(before)) if before else 1.0
    return share if math.isfinite(share) else 1.0


def _changed(before: pl.LazyFrame, after: pl.LazyFrame, same: Sequence[str], key: Sequence[str]) -> list[str]:
    bound = [name for name in key if name in same]
    one, other = (fingerprint(rows.select(same), bound).columns for rows in (before, after))
    return [name for name in same if one.get(name) != other.get(name)]


def _sums(before: pl.LazyFrame, after: pl.LazyFrame, same: Sequence[str]) -> dict[str, Mapping[str, object]]:
    names = [name for name in after.select(same).select(cs.numeric()).collect_schema().names() if not is_lineage(name)]
    if not names:
        return {}
    one, other = (
        frame.row(0, named=True)
        for frame in pl.collect_all([rows.select(pl.col(names).sum()) for rows in (before, after)], engine="streaming")
    )
    return {
        name: {"before": str(one[name]), "after": str(other[name]), "share": _share(one[name], other[name])}
        for name in names
    }


def _keys(
    before: pl.LazyFrame, after: pl.LazyFrame, same: Sequence[str], key: Sequence[str]
) -> Mapping[str, int] | None:
    """Rows by key; None where the key is not there, or does not name one row in both."""
    if not key or not set(key) <= set(same):
        return None
    content = [name for name in same if name not in key and not is_lineage(name)]
    shape = [rows.select(pl.len().alias("rows"), pl.struct(key).n_unique().alias("keys")) for rows in (before, after)]
    if any(one["rows"].item() and one["rows"].item() != one["keys"].item() for one in pl.collect_all(shape)):
        return None
    whole = pl.struct(content) if content else pl.lit(0)
    left, right = (rows.select(*key, whole.alias("_content")) for rows in (before, after))
    both = left.join(right, on=key, how="inner", nulls_equal=True, suffix="_after")
    asked = [
        left.join(right, on=key, how="anti", nulls_equal=True).select(pl.len()),
        right.join(left, on=key, how="anti", nulls_equal=True).select(pl.len()),
        both.select(pl.col("_content").ne_missing(pl.col("_content_after")).sum()),
    ]
    only_before, only_after, changed = (int(one.item()) for one in pl.collect_all(asked, engine="streaming"))
    return {"only_before": only_before, "only_after": only_after, "changed": changed}
