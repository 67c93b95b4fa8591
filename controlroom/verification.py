"""``run verify``: executes a finished run again from its pinned inputs and compares fingerprints."""

from __future__ import annotations

import typer

from controlroom.output import show
from controlroom.session import session


def verify_by_id(run: str, as_json: bool) -> bool:
    """Prints the fingerprint of each phase, then and now; True where all are equal."""
    from compute.verify import verify_run

    with session() as opened:
        comparisons = verify_run(opened.settings, opened.reads.resolve_run(run))
    rows = [vars(each) for each in comparisons]
    show(rows, list(rows[0]) if rows else [], as_json)
    same = all(each.same for each in comparisons)
    if not as_json:
        typer.echo("identical" if same else "DIFFERENT")
    return same
