"""``controlroom query``: ask the warehouse by runs, with a history, a cache and a cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from controlroom.commands.people import Json

if TYPE_CHECKING:
    from controlroom.asking import Answer

app = typer.Typer(help="Queries over the warehouse: run, history, show, cancel.", no_args_is_help=True)
Env = Annotated[str | None, typer.Option(help="dev, stage or prod.")]
Limit = Annotated[int, typer.Option(min=1, help="Rows shown at most.")]
Which = Annotated[str, typer.Argument(metavar="RUN", help="The query's run: its id, or its first digits.")]
COLUMNS = ("run_id", "created_at", "subject", "env", "engine", "status", "ms", "rows", "cached_from", "sql")


@app.command()
def run(
    sql: Annotated[str, typer.Argument(help="A select over tables such as gold.x, gold.x@v12 or gold.x@2026-11-01.")],
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="NAME=VALUE: a column of the table params. Often as needed."),
    ] = None,
    env: Env = None,
    engine: Annotated[
        str, typer.Option(help="embedded (the lake); postgres or trino (the server of the environment, for editors).")
    ] = "embedded",
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key and query is the same run.")] = None,
    limit: Limit = 50,
    wait: Annotated[bool, typer.Option(help="Wait for the answer; without it only the run's id is printed.")] = True,
    json: Json = False,
) -> None:
    """Ask, wait, print the rows and say where they come from."""
    from controlroom import asking
    from controlroom.session import session
    from ops.warehouse import Question
    from pipelines.params import named

    with session() as opened:
        run_id = asking.submitted(opened, Question(sql, named(param or []), engine, key), env)
        if not wait:
            typer.echo(run_id)
            return
        found = asking.waited(opened, run_id, lambda line: typer.echo(line, err=True))
    _shown(found, limit, json)


@app.command()
def history(
    text: Annotated[str, typer.Argument(help="Words of the SQL; the last may be a beginning.")] = "",
    env: Env = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only one's own.")] = False,
    status: Annotated[list[str] | None, typer.Option(help="queued, running, succeeded, failed, canceled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List what was asked in the project, newest first."""
    from controlroom.asking import history as found
    from controlroom.output import show
    from controlroom.session import session
    from ops.warehouse import QueryFilter

    with session() as opened:
        where = opened.settings
        wanted = QueryFilter(where.org, where.project, env, text=text, status=tuple(status or ()), mine=mine)
        rows = found(opened, wanted, limit)
    show([vars(row) for row in rows], COLUMNS, json)


@app.command("show")
def show_(which: Which, limit: Limit = 50, json: Json = False) -> None:
    """Show what a query was answered with."""
    from controlroom import asking
    from controlroom.session import session

    with session() as opened:
        found = asking.answer(opened, opened.reads.resolve_run(which))
    _shown(found, limit, json)


@app.command()
def cancel(which: Which, reason: Annotated[str, typer.Option(help="Why.")] = "canceled by whoever asked") -> None:
    """Cancel a query, also while it runs: one's own, or as an operator anybody's."""
    from controlroom.session import session

    with session() as opened:
        typer.echo(opened.rpc.cancel_run(opened.reads.resolve_run(which), reason))


def _shown(found: Answer, limit: int, as_json: bool) -> None:
    from controlroom.output import show

    for table, columns in found.masked.items():
        typer.echo(f"{table}: {', '.join(columns)} read as null, for they are personal data", err=True)
    read = ", ".join(f"{table} version {version}" for table, version in found.versions.items())
    read = read or (f"the server of {found.server}" if found.server else "no table")
    source = f"cached from run {found.cached_from}" if found.cached_from else f"run {found.run_id}"
    shown = found.rows.head(limit)
    typer.echo(f"{found.rows.height} rows, {shown.height} shown; {source}, from {read}", err=True)
    show(shown.to_dicts(), shown.columns, as_json)
