"""``controlroom publish``: what stands in readers' tables, and earlier rows put back."""

from __future__ import annotations

from typing import Annotated

import typer

from controlroom.commands.access import Env
from controlroom.commands.people import Json

app = typer.Typer(help="What readers' tables hold: list, show, roll back.", no_args_is_help=True)

Table = Annotated[
    str, typer.Argument(metavar="SCHEMA.TABLE", help="As readers name it, such as gold.revenue_by_month.")
]
Dsn = Annotated[str, typer.Option(help="Reference of the readers' database, as the spec's target names it.")]
GOLD = "secret://file/gold_dsn"
COLUMNS = ["table", "state", "version", "fingerprint", "run", "since"]


@app.command("list")
def list_published(dsn: Dsn = GOLD, env: Env = None, json: Json = False) -> None:
    """List what the project has published, and what is kept of it."""
    _show(dsn, env, None, json)


@app.command()
def show(table: Table, dsn: Dsn = GOLD, env: Env = None, json: Json = False) -> None:
    """Show what stands in one table, and the versions that are kept for a rollback."""
    _show(dsn, env, table, json)


@app.command()
def rollback(
    table: Table,
    to: Annotated[
        str | None, typer.Option(help="A version, or a fingerprint's beginning; the last one kept without it.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
    dsn: Dsn = GOLD,
    env: Env = None,
) -> None:
    """Give readers earlier rows back, at once, until a run publishes others than those that were rolled back."""
    from controlroom.publications import put_back
    from controlroom.session import session

    with session() as opened:
        gone, come = put_back(opened, dsn, env or opened.settings.env, table, to, note)
    typer.echo(f"{table}: version {come.version} stands again, in place of version {gone.version}")
    typer.echo(f"the rows that were rolled back ({gone.fingerprint}) are not published again before others were")


def _show(dsn: str, env: str | None, table: str | None, as_json: bool) -> None:
    from controlroom.output import show as show_rows
    from controlroom.publications import lines, shelves
    from controlroom.session import session

    with session() as opened:
        found = shelves(opened, dsn, env or opened.settings.env, table)
    show_rows([line for shelf in found for line in lines(shelf)], COLUMNS, as_json, "Published")
