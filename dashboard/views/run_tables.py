"""What a run did to tables: commits beside the version before, rows by phase, and what checks found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from dashboard.views.phase_tables import PhaseTables, tables_by_phase
from dashboard.views.verdict import checks_of, failed_rows, rule_name
from dashboard.views.words import size
from ops.model import RunId, RunStatus
from ops.run_reads import CommitRow
from ops.views import Json, PhaseRow, RunDetail

ASIDE = "quarantine"


@dataclass(frozen=True)
class CommitLine:
    """``tone`` of what became of it: good where readers get it, quiet where they do not or not any more."""

    dataset_id: str
    table: str
    versions: str
    mode: str
    rows: str
    total: str
    change: str
    size: str
    schema: tuple[str, ...]
    content: str
    state: str
    tone: str
    inputs: str


@dataclass(frozen=True)
class RowLine:
    """Rows through one phase; empty where a number has no meaning. ``aside`` is where the bad rows are, ``link`` leads to
    them."""

    phase: str
    table: str
    rows_in: str
    rows_out: str
    dropped: str
    quarantined: str
    aside: str
    link: str
    checks: str
    tone: str


@dataclass(frozen=True)
class CheckLine:
    """One expectation; ``aside`` is the table that its bad rows were put into, ``link`` leads to them."""

    phase: str
    table: str
    check: str
    state: str
    tone: str
    expected: str
    observed: str
    bad_rows: str
    aside: str
    link: str


def commit_lines(commits: Sequence[CommitRow]) -> list[CommitLine]:
    """In the order in which they were made."""
    return [_commit(each) for each in commits]


def _commit(each: CommitRow) -> CommitLine:
    difference = each.total_rows - (each.before_rows or 0)
    state, tone = _state(each)
    return CommitLine(
        str(each.dataset_id),
        each.table,
        f"{'–' if each.before_version is None else each.before_version} → {each.version}",
        each.mode + (" (adopted)" if each.adopted else ""),
        f"{each.rows:,}",
        f"{each.total_rows:,}",
        f"{difference:+,}" if difference else "±0",
        size(each.byte_size),
        tuple(schema_difference(each.before_columns, each.columns)),
        _content(each),
        state,
        tone,
        ", ".join(f"{one['table']}@{one['version']}" for one in each.inputs),
    )


def _state(each: CommitRow) -> tuple[str, str]:
    if each.layer == ASIDE:
        return "put aside", "waits"
    if each.released == each.version:
        return "what readers get", "good"
    if each.released is not None and each.released > each.version:
        return f"superseded by {each.released}", "quiet"
    return "not released", "waits"


def _content(each: CommitRow) -> str:
    if each.before_fingerprint is None:
        return "first version"
    return "same rows as before" if each.before_fingerprint == each.fingerprint else "other rows"


def schema_difference(before: Json | None, now: Json) -> Iterator[str]:
    """What became of the columns; nothing where there was no version before."""
    if before is None:
        return
    for name, kind in now.items():
        if name not in before:
            yield f"{name} is new ({kind})"
        elif before[name] != kind:
            yield f"{name} is {kind}, was {before[name]}"
    for name in before:
        if name not in now:
            yield f"{name} is gone"


def aside_links(run: RunDetail, commits: Sequence[CommitRow], effects: Mapping[str, RunId]) -> dict[str, str]:
    """Phase → the address of the bad rows that it put aside in this run: a question in SQL, which the reader runs.

    Of a run that has not succeeded no version can be asked: then it is the page of the table.

    Args:
        effects: phase → the run by which what it did to the lake is known; its id stands in the rows.
    """
    place = {"project": f"{run.org}/{run.project}", "env": run.env}
    links = {}
    for each in commits:
        if each.layer != ASIDE:
            continue
        rows = {
            "table": f"{each.table}@v{each.version}",
            "run_rows": str(effects.get(each.phase, run.run_id)),
            "phase_rows": each.phase,
        }
        asked = run.status is RunStatus.SUCCEEDED
        links[each.phase] = f"sql?{urlencode({**place, **rows})}" if asked else f"dataset?id={each.dataset_id}"
    return links


def row_lines(
    spec: Json, phases: Sequence[PhaseRow], commits: Sequence[CommitRow], links: Mapping[str, str]
) -> list[RowLine]:
    """Phases that have begun, in their order; ``links`` as :func:`aside_links` gives them."""
    tables = tables_by_phase(spec)
    begun = [phase for phase in phases if phase.started_at]
    return [_rows(each, tables.get(each.name, PhaseTables()), commits, links.get(each.name, "")) for each in begun]


def _rows(phase: PhaseRow, tables: PhaseTables, commits: Sequence[CommitRow], link: str) -> RowLine:
    written = [each for each in commits if each.phase == phase.name and each.layer != ASIDE]
    aside = [each for each in commits if each.phase == phase.name and each.layer == ASIDE]
    checks = _checks(phase)
    failed = sum(check.get("ok") is False for check in checks)
    names = list(dict.fromkeys(each.table for each in written)) or ([tables.about] if tables.about else [])
    judged = phase.kind == "validate"
    return RowLine(
        phase.name,
        ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else ""),
        _number(phase.rows_in),
        "" if judged else _number(phase.rows_out),
        _dropped(phase, tables, written),
        f"{sum(each.rows for each in aside):,}" if judged and phase.finished_at else "",
        aside[0].table if aside else "",
        link,
        f"{len(checks) - failed} of {len(checks)} hold" if checks else "",
        "bad" if failed else "good" if checks else "quiet",
    )


def _dropped(phase: PhaseRow, tables: PhaseTables, written: Sequence[CommitRow]) -> str:
    """Rows that came in and did not go out. Only where a row in is a row out: one table into one, by SQL that adds up none."""
    one_to_one = len(tables.reads) == 1 and len(written) == 1 and written[0].mode == "replace" and tables.row_by_row
    if phase.kind == "ingest" or one_to_one:
        if phase.rows_in is None or phase.rows_out is None or phase.rows_out > phase.rows_in:
            return ""
        return f"{phase.rows_in - phase.rows_out:,}"
    return ""


def check_lines(
    spec: Json, phases: Sequence[PhaseRow], commits: Sequence[CommitRow], links: Mapping[str, str]
) -> list[CheckLine]:
    """Every result of a check, those that do not hold first; ``links`` as :func:`aside_links` gives them."""
    tables = tables_by_phase(spec)
    lines = []
    for phase in phases:
        aside = next((each for each in commits if each.phase == phase.name and each.layer == ASIDE), None)
        about = str((phase.error_data or {}).get("table") or tables.get(phase.name, PhaseTables()).about)
        where = (aside.table if aside else "", links.get(phase.name, ""))
        lines += [_check(phase, about, where, check) for check in _checks(phase)]
    return sorted(lines, key=lambda line: line.tone == "good")


def _check(phase: PhaseRow, about: str, where: tuple[str, str], check: Mapping[str, object]) -> CheckLine:
    ok = check.get("ok") is not False
    bad = failed_rows(check)
    return CheckLine(
        phase.name,
        about,
        rule_name(check),
        "holds" if ok else "does not hold",
        "good" if ok else "bad",
        str(check.get("expected", "")),
        str(check.get("observed", "")),
        f"{bad:,}" if isinstance(bad, int) and bad else "",
        *(("", "") if ok else where),
    )


def _checks(phase: PhaseRow) -> list[Mapping[str, object]]:
    return checks_of(phase.metrics) or checks_of(phase.error_data)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
