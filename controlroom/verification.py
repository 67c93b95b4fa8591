"""``run verify``: executes a finished run again from its pinned inputs and compares fingerprints."""

from __future__ import annotations

import typer

from controlroom.output import show
from controlroom.session import session


def verify_by_id(run: str, as_json: bool) -> bool:
    """Prints the fingerprint of each phase, then and now; True where all are equal."""
    from compute.verify import verify_run

    with session() as opened:
        report = verify_run(opened.settings, opened.reads.resolve_run(run))
    rows = [vars(each) for each in report.findings]
    show(rows, list(rows[0]) if rows else [], as_json)
    if not as_json:
        typer.echo("identical" if report.ok else "DIFFERENT")
    return report.ok
