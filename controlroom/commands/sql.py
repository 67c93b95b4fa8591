"""``controlroom sql``: ask the lake."""

from __future__ import annotations

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command to the front door."""
    app.command()(sql)


def sql(
    query: Annotated[str, typer.Argument(help="A select over tables of the lake, such as gold.revenue_by_month.")],
    env: Annotated[str | None, typer.Option(help="dev, stage or prod.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown at most.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Query tables of the lake by name, as the last runs that succeeded left them; read-only."""
    from controlroom.lake_sql import ask
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        frame = ask(opened, query, env, limit, lambda line: typer.echo(line, err=True))
    show(frame.to_dicts(), frame.columns, json)
