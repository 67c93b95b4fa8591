"""The rows that a run put into quarantine, read as ``controlroom sql`` reads: with the same masks and limits."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from compute.outcome import tables_of
from controlroom.lake_sql import ask
from controlroom.session import Session
from ops.errors import BadInput, IllegalTransition, NotFound
from ops.model import RunId, RunStatus

FIRST = ("_reason", "_phase")


def rejected(
    session: Session, run_id: RunId, rule: str | None, limit: int, tell: Callable[[str], None]
) -> dict[str, pl.DataFrame]:
    """Quarantine table → its rows of this run, the reasons first; without tables that have none.

    Args:
        rule: only rows that broke it; its name as ``check_results`` has it.
        limit: rows of a table at most.
        tell: as for :func:`controlroom.lake_sql.ask`.

    Raises:
        NotFound: the run has no such rule.
        BadInput: it is another project's than the one that the command works in.
        IllegalTransition: it has not succeeded, so that nobody gets yet what it wrote.
    """
    run, own = session.reads.run(run_id), session.settings
    if (run.org, run.project) != (own.org, own.project):
        raise BadInput(f"run {run_id} is of {run.org}/{run.project}; set CONTROLROOM_ORG and CONTROLROOM_PROJECT to it")
    rules = sorted({one.rule for one in session.reads.check_results(run_id)})
    if rule is not None and rule not in rules:
        raise NotFound(f"run {run_id} has no rule {rule!r}; it has {', '.join(rules) or 'none'}", {"rule": rule})
    # The run that the rows name is told phase by phase: one that was done again has its own.
    effects = session.reads.phase_effects(run_id)
    left: dict[str, set[RunId]] = {}
    for phase, result in session.reads.phase_results(run_id).items():
        for table in tables_of(result):
            if table.startswith("quarantine."):
                left.setdefault(table, set()).add(effects[phase])
    tables = list(left)
    if tables and run.status is not RunStatus.SUCCEEDED:
        raise IllegalTransition(
            f"run {run_id} is {run.status}; what it put into {', '.join(tables)} is read when it has succeeded",
            {"status": str(run.status), "tables": tables},
        )
    asked = {table: ask(session, _query(table, left[table], rule), run.env, limit, tell) for table in tables}
    return {table: _reasons_first(rows) for table, rows in asked.items() if rows.height}


def _query(table: str, runs: set[RunId], rule: str | None) -> str:
    named = ", ".join(f"'{one}'" for one in sorted(map(str, runs)))
    query = f"select * from {table} where _run_id in ({named})"  # noqa: S608 - it passes the gate as any question does
    if rule is None:
        return query
    # A row names all the rules that it broke, with "; " between them. strpos would take the name for a pattern.
    name = rule.replace("'", "''")
    return f"{query} and replace(concat('; ', _reason, '; '), '; {name}; ', '') <> concat('; ', _reason, '; ')"


def _reasons_first(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select([*[name for name in FIRST if name in rows.columns], pl.exclude(*FIRST, "_run_id")])
