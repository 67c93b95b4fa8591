"""``controlroom backfill``: compute a past, partition by partition, beside what runs anyway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

app = typer.Typer(help="Backfills: plan, start, list, show, pause, resume, cancel.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="BACKFILL", help="A backfill's id, or its first digits (four or more).")]
Name = Annotated[str, typer.Argument(metavar="PIPELINE", help="A registered pipeline whose spec has a partition.")]
From = Annotated[str | None, typer.Option("--from", help="The first partition, such as 2025-01-01.")]
To = Annotated[str | None, typer.Option("--to", help="The last one, or a day in it.")]
Values = Annotated[
    list[str] | None, typer.Option("--partition", help="Instead of a range: a partition, as often as needed.")
]
Chunk = Annotated[int, typer.Option("--chunk", help="Partitions a run; more than 1 needs until in the spec.")]
Parallel = Annotated[int, typer.Option("--parallel", help="At most so many runs at once; caps may allow fewer.")]
Tries = Annotated[int, typer.Option("--tries", help="Runs that a chunk may fail before it is given up.")]
Priority = Annotated[int, typer.Option(help="Of its runs; smaller is sooner, a schedule's have 100.")]
Params = Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE for parameters besides.")]
Env = Annotated[str | None, typer.Option(help="dev, stage or prod; without, that of the settings.")]
Key = Annotated[str | None, typer.Option(help="The same key gives the same backfill.")]
Reason = Annotated[str, typer.Option(help="Why; the list shows it.")]


def add_to(parent: typer.Typer) -> None:
    """Adds the group."""
    parent.add_typer(app, name="backfill")


@app.command()
def plan(
    pipeline: Name, first: From = None, last: To = None, partition: Values = None, chunk: Chunk = 1,
    parallel: Parallel = 4, tries: Tries = 3, priority: Priority = 200, param: Params = None, env: Env = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Show the chunks of a backfill and what to expect of it, by the pipeline's own history; makes nothing."""
    said = {
        "from": first, "to": last, "values": partition, "chunk_size": chunk, "max_parallel": parallel,
        "max_tries": tries, "priority": priority,
    }  # fmt: skip
    _order(pipeline, said, param or [], env, None, True, json)


@app.command()
def start(
    pipeline: Name, first: From = None, last: To = None, partition: Values = None, chunk: Chunk = 1,
    parallel: Parallel = 4, tries: Tries = 3, priority: Priority = 200, param: Params = None, env: Env = None,
    key: Key = None, json: Json = False,
) -> None:  # fmt: skip
    """Order a backfill; prints its id. A steward makes its runs, as many at once as it may have."""
    said = {
        "from": first, "to": last, "values": partition, "chunk_size": chunk, "max_parallel": parallel,
        "max_tries": tries, "priority": priority,
    }  # fmt: skip
    _order(pipeline, said, param or [], env, key, False, json)


def _order(
    pipeline: str,
    said: Mapping[str, object],
    params: list[str],
    env: str | None,
    key: str | None,
    dry_run: bool,
    json: bool,
) -> None:
    from controlroom.backfilling import in_words, ordered
    from controlroom.output import show_json
    from controlroom.session import session

    with session() as opened:
        made = ordered(opened, pipeline, said, params, env, key, dry_run)
    if json:
        show_json(made)
    elif made.id is not None:
        typer.echo(made.id)
    else:
        for line in in_words(made):
            typer.echo(line)


@app.command("list")
def list_(
    env: Annotated[str | None, typer.Option(help="Only dev, stage or prod.")] = None,
    state: Annotated[str | None, typer.Option(help="Only active, paused, succeeded, failed or canceled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List backfills, newest first."""
    from controlroom.backfilling import shown
    from controlroom.output import show
    from controlroom.session import session
    from ops.backfills import Backfills

    with session() as opened:
        rows = Backfills(opened.connection).backfills(env, state, limit=limit)
    columns = ["id", "pipeline", "env", "range", "state", "done", "queued", "failed", "created_at", "reason"]
    show([vars(row) if json else shown(row) for row in rows], columns, json)


@app.command("show")
def show_(backfill: Id, json: Json = False) -> None:
    """Show a backfill and each of its chunks with its run."""
    from controlroom.backfilling import found, shown
    from controlroom.output import show, show_json

    with found(backfill) as (backfills, row):
        chunks = [vars(each) for each in backfills.chunks(row.id)]
    if json:
        show_json({**vars(row), "runs": chunks})
        return
    show([shown(row)], ["id", "pipeline", "env", "range", "state", "done", "queued", "failed", "reason"], False)
    show(chunks, ["first", "until", "partitions", "state", "tries", "run_id", "error_code", "error_message"], False)


@app.command()
def pause(backfill: Id, reason: Reason = "") -> None:
    """Make no further runs of a backfill; those that have begun go on."""
    from controlroom.backfilling import found

    with found(backfill) as (backfills, row):
        typer.echo(backfills.pause(row.id, reason))


@app.command()
def resume(backfill: Id) -> None:
    """Go on with a paused backfill; of one that failed, try the failed chunks again."""
    from controlroom.backfilling import found

    with found(backfill) as (backfills, row):
        typer.echo(backfills.resume(row.id))


@app.command()
def cancel(backfill: Id, reason: Reason = "by hand") -> None:
    """End a backfill and cancel its open runs; partitions that have succeeded stay."""
    from controlroom.backfilling import found

    with found(backfill) as (backfills, row):
        typer.echo(backfills.cancel(row.id, reason))
