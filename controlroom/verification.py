"""``run verify``: executes a finished run again from its pinned inputs and compares fingerprints."""

from __future__ import annotations

import typer

from controlroom.output import show
from controlroom.session import session


def verify_by_id(run: str, as_json: bool) -> bool:
    """Prints each comparison of a run, then and now; True where all are equal."""
    from compute.verify import verify_run

    with session() as opened:
        run_id = opened.reads.resolve_run(run)
    report = verify_run(opened.settings, run_id)
    show([vars(each) for each in report.findings], ["what", "ok", "expected", "seen"], as_json)
    if not as_json:
        typer.echo("identical" if report.ok else "DIFFERENT")
    return report.ok
