"""``controlroom dataset refresh``: build what a pipeline makes anew beside what readers have, compare, swap, roll back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from controlroom.commands.access import Env, dataset_app
from controlroom.commands.people import Json

if TYPE_CHECKING:
    from ops.refreshes import Refresh, Refreshes

app = typer.Typer(
    help="Full refreshes: start, list, compare with what readers have, swap in, roll back.", no_args_is_help=True
)
Which = Annotated[str, typer.Argument(metavar="REFRESH", help="A refresh's id or its run's, or its first digits.")]
Note = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
Share = Annotated[
    str | None,
    typer.Option(
        help="Swap in without asking where this differs by at most so much, such as 1%, and columns are the same."
    ),
]


def add_to(_: typer.Typer) -> None:
    """Adds the group to ``dataset``, which is there."""
    dataset_app.add_typer(app, name="refresh")


@contextmanager
def _opened(env: str | None, which: str) -> Iterator[tuple[Refreshes, Refresh]]:
    from controlroom.session import session
    from ops.refreshes import Refreshes

    with session() as opened:
        refreshes = Refreshes(opened.connection)
        yield refreshes, refreshes.find(opened.project_id(), env or opened.settings.env, which)


@app.command()
def start(
    pipeline: Annotated[str, typer.Argument(help="Name or path of a spec.")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE, as often as needed.")] = None,
    env: Env = None,
    max_rows: Share = None,
    max_sums: Share = None,
    note: Note = "",
    json: Json = False,
) -> None:
    """Build all tables of a pipeline anew, where no reader sees them; prints the refresh's id."""
    from controlroom.output import show_json
    from controlroom.session import session
    from ops.refreshes import Refreshes
    from pipelines.catalogue import git_sha, spec_path
    from pipelines.params import named
    from pipelines.refresh_order import order, tolerance
    from pipelines.spec_source import load

    within, path = tolerance(rows=max_rows, sums=max_sums), spec_path(pipeline)
    asked = order(load(path), git_sha(path.parent), named(param or []))
    with session() as opened:
        refresh_id = Refreshes(opened.connection).start(
            opened.project_id(), env or opened.settings.env, asked, within, note
        )
    if json:
        show_json({"refresh_id": refresh_id})
    else:
        typer.echo(refresh_id)


@app.command("list")
def list_(
    env: Env = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List refreshes, newest first, and what became of each."""
    from controlroom.output import show
    from controlroom.session import session
    from ops.refreshes import Refreshes

    with session() as opened:
        found = Refreshes(opened.connection).list(opened.project_id(), env or opened.settings.env, limit)
    columns = ["refresh_id", "pipeline", "state", "run_id", "started_by", "started_at", "swapped_by", "swapped_at"]
    show([vars(each) for each in found], columns, json)


@app.command()
def compare(refresh: Which, env: Env = None, json: Json = False) -> None:
    """Show what a refresh has built beside what readers had: rows, columns, sums, and rows by key."""
    from controlroom.output import show, show_json
    from ops.refreshes import differences

    with _opened(env, refresh) as (refreshes, found):
        comparisons = refreshes.comparisons(found)
    if json:
        show_json({**vars(found), "tables": comparisons})
        return
    typer.echo(f"{found.pipeline} {found.refresh_id} {found.state}")
    show(differences(comparisons), ["table", "what", "before", "after"], False)


@app.command()
def swap(refresh: Which, env: Env = None, note: Note = "", json: Json = False) -> None:
    """Give readers what a refresh has built, all its tables at once; for editors."""
    with _opened(env, refresh) as (refreshes, found):
        refreshes.swap(found.refresh_id, note)
        _say(refreshes, found, json)


@app.command()
def rollback(
    refresh: Which,
    discard_later: Annotated[bool, typer.Option(help="Also set aside what runs have written upon it since.")] = False,
    env: Env = None,
    note: Note = "",
    json: Json = False,
) -> None:
    """Give readers back what they had before a swap; for editors. Later runs build upon that."""
    with _opened(env, refresh) as (refreshes, found):
        refreshes.roll_back(found.refresh_id, discard_later, note)
        _say(refreshes, found, json)


def _say(refreshes: Refreshes, before: Refresh, json: bool) -> None:
    from controlroom.output import show_json
    from ops.reads import Reads

    project = Reads(refreshes.source).project_id(before.org, before.project)
    found = refreshes.find(project, before.env, str(before.refresh_id))
    if json:
        show_json(found)
    else:
        typer.echo(found.state)
