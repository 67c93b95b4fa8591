"""``controlroom run``: submit runs, look at them, steer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ops.database import Connection
    from ops.model import RunId
    from ops.reads import Reads

app = typer.Typer(
    help="Runs: submit, list, show, watch, cancel, retry, replay, verify, rejected rows.", no_args_is_help=True
)
COLUMNS = ("run_id", "pipeline", "env", "status", "phase", "attempt", "created_at", "error_code")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its first digits (four or more).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which phases would run and which would be skipped.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay and watch it; ends with the run's exit code.")]


@app.command()
def submit(
    pipeline: Annotated[str, typer.Argument(help="Name or path of a spec.")],
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="NAME=VALUE, as often as needed.")] = None,
    env: Annotated[str | None, typer.Option(help="dev, stage or prod.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key gives the same run.")] = None,
    priority: Annotated[int, typer.Option(help="Lower goes first.")] = 100,
    watch: Watch = False,
    json: Json = False,
) -> None:
    """Queue a run of a pipeline; prints its id."""
    from controlroom.output import show_json
    from controlroom.session import session
    from controlroom.submit import Request
    from controlroom.submit import submit as submit_run
    from pipelines.params import named

    params = named(param or [])
    with session() as opened:
        run_id = submit_run(opened, Request(pipeline, params, env, key, priority))
        if json:
            show_json({"run_id": run_id})
        else:
            typer.echo(run_id)
        if watch:
            _watch(opened.reads, str(run_id))


@app.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    env: Annotated[str | None, typer.Option(help="Only of this environment.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only of this pipeline.")] = None,
    status: Annotated[list[str] | None, typer.Option(help="Only of this status; as often as needed.")] = None,
    trigger: Annotated[list[str] | None, typer.Option(help="Only of this trigger; as often as needed.")] = None,
    executor: Annotated[str | None, typer.Option(help="Only of this executor, by its id.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="NAME=VALUE; the runs have all that are given.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Words of pipeline, error or tags; the last may be a beginning.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Created at or after this time.")] = None,
    until: Annotated[str | None, typer.Option(help="Created before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List runs, newest first."""
    from controlroom.output import show
    from controlroom.session import session
    from ops.run_filter import filter_of

    single = {
        "project": project, "env": env, "pipeline": pipeline, "executor": executor, "text": text,
        "since": since, "until": until,
    }  # fmt: skip
    several = {"status": status, "trigger": trigger, "tags": tag}
    words = {name: [value] for name, value in single.items() if value}
    wanted = filter_of({**words, **{name: values for name, values in several.items() if values}})
    with session() as opened:
        rows = opened.reads.list_runs(wanted, limit)
    show([vars(row) for row in rows], COLUMNS, json)


@app.command("show")
def show_(run: RunArgument, json: Json = False) -> None:
    """Show a run: its phases, artifacts and tables, its score and whether its event chain is whole."""
    from controlroom.output import show_json
    from controlroom.run_page import page, print_page
    from controlroom.session import session

    with session() as opened:
        found = page(opened, opened.reads.resolve_run(run))
    if json:
        show_json(found)
    else:
        print_page(found)


@app.command()
def watch(run: RunArgument) -> None:
    """Watch a run until it ends: a bar for each phase. Ends with 0 if it succeeded, else with 1."""
    from controlroom.session import session

    with session() as opened:
        _watch(opened.reads, run)


@app.command()
def cancel(run: RunArgument, reason: Annotated[str, typer.Option(help="Kept with the run.")] = "by hand") -> None:
    """Cancel a run: at once where it is queued, at its owner's next heartbeat where it runs."""
    from controlroom.session import session

    with session() as opened:
        outcome = opened.rpc.cancel_run(opened.reads.resolve_run(run), reason)
        typer.echo(f"already {outcome}" if outcome in ("succeeded", "failed") else outcome)


@app.command()
def retry(
    run: RunArgument,
    from_phase: Annotated[
        str | None, typer.Option(help="Do this phase and all that depend on it again, also where they succeeded.")
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="On the definition that the environment runs now, and inputs of now.")
    ] = False,
    dry_run: DryRun = False,
    watch: Watch = False,
    json: Json = False,
) -> None:
    """Run an ended run again as a new one: the same definition and inputs; phases that succeeded stay done."""
    from controlroom.session import session

    with session() as opened:
        run_id = opened.reads.resolve_run(run)
        if dry_run:
            _preview(opened.connection, run_id, "latest" if latest else "retry", from_phase, json)
            return
        made = opened.rpc.retry_run(run_id, from_phase, latest)
        _made(opened.reads, made, watch, json)


@app.command()
def replay(run: RunArgument, dry_run: DryRun = False, watch: Watch = False, json: Json = False) -> None:
    """Run an ended run again as a new one on the same definition and pinned inputs, all phases."""
    from controlroom.session import session
    from ops.backfills import Backfills

    with session() as opened:
        run_id = opened.reads.resolve_run(run)
        if dry_run:
            _preview(opened.connection, run_id, "replay", None, json)
            return
        _made(opened.reads, Backfills(opened.connection).replay(run_id), watch, json)


@app.command()
def verify(run: RunArgument, json: Json = False) -> None:
    """Execute a finished run again from its pinned inputs, aside, and compare the fingerprints."""
    from controlroom.verification import verify_by_id

    if not verify_by_id(run, json):
        raise typer.Exit(1)


@app.command()
def rejected(
    run: RunArgument,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule, as `run show` names it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows of a table at most.")] = 50,
    json: Json = False,
) -> None:
    """Show the rows that a run put into quarantine, with the rules that each broke."""
    from controlroom.output import show, show_json
    from controlroom.rejected import rejected as rejected_rows
    from controlroom.session import session

    with session() as opened:
        found = rejected_rows(
            opened, opened.reads.resolve_run(run), rule, limit, lambda line: typer.echo(line, err=True)
        )
    if json:
        show_json([{"table": table, **row} for table, frame in found.items() for row in frame.to_dicts()])
    elif not found:
        typer.echo("none")
    else:
        for table, frame in found.items():
            show(frame.to_dicts(), frame.columns, False, table)


def _made(reads: Reads, run_id: RunId, watch: bool, json: bool) -> None:
    """Tells of a new run."""
    from controlroom.output import show_json

    if json:
        show_json({"run_id": run_id})
    else:
        typer.echo(run_id)
    if watch:
        _watch(reads, str(run_id))


def _preview(connection: Connection, run_id: RunId, way: str, from_phase: str | None, json: bool) -> None:
    """Which phases a new run would carry out; makes none."""
    from controlroom.output import show
    from ops.backfills import Backfills

    rows = [vars(each) for each in Backfills(connection).preview(run_id, way, from_phase)]
    if not json:
        rows = [{**row, "phase": row["name"], "does": "run" if row["again"] else "skip"} for row in rows]
    show(rows, ["phase", "kind", "does", "reason"], json)


def _watch(reads: object, run: str) -> None:
    from controlroom.watch import watch_run
    from ops.model import RunStatus
    from ops.reads import Reads

    assert isinstance(reads, Reads)
    ended = watch_run(reads, reads.resolve_run(run))
    if ended.status is not RunStatus.SUCCEEDED:
        typer.echo(f"{ended.error_code or 'RUN_CANCELED'}: {ended.error_message or 'the run was canceled'}", err=True)
        raise typer.Exit(1)
