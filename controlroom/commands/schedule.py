"""``controlroom schedule | freshness``: what starts runs when nobody presses a button, and how old datasets may be."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

app = typer.Typer(
    help="Schedules: apply, add, list, pause, resume, remove, next, history, fire, webhook.", no_args_is_help=True
)
freshness_app = typer.Typer(help="Freshness of datasets: set, remove, list.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Env = Annotated[str | None, typer.Option(help="dev, stage or prod; without, that of the settings.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A schedule's name.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="NAME=VALUE for the run; {tick} and {date} stand for the tick.")
]


def add_to(parent: typer.Typer) -> None:
    """Adds the groups."""
    parent.add_typer(app, name="schedule")
    parent.add_typer(freshness_app, name="freshness")


@app.command()
def apply(
    pipeline: Annotated[str, typer.Argument(help="Name or path of a spec.")],
    env: Env = None,
) -> None:
    """Register a spec and make its schedule and its freshness rules so in an environment; repeat it after each change."""
    from controlroom.scheduling import apply as applied
    from controlroom.session import session

    with session() as opened, opened.connection.transaction():
        for line in applied(opened, pipeline, env or opened.settings.env):
            typer.echo(line)


@app.command()
def add(
    name: Name,
    pipeline: Annotated[str, typer.Argument(help="A registered pipeline.")],
    cron: Annotated[str | None, typer.Option(help="Five fields, such as '0 6 * * 1-5'.")] = None,
    timezone: Annotated[str, typer.Option(help="Whose clocks, such as Asia/Manila.")] = "UTC",
    after: Annotated[str | None, typer.Option(help="Start when this pipeline has succeeded.")] = None,
    min_score: Annotated[float | None, typer.Option(help="With --after: only if that run scored as much.")] = None,
    on_dataset: Annotated[str | None, typer.Option(help="Start when LAYER.NAME has changed.")] = None,
    when_stale: Annotated[str | None, typer.Option(help="Start when LAYER.NAME is older than --older-than.")] = None,
    older_than: Annotated[str | None, typer.Option(help="A duration, such as 2h.")] = None,
    webhook: Annotated[
        bool, typer.Option("--webhook", help="Start by a signed request; see schedule webhook.")
    ] = False,
    misfire: Annotated[str | None, typer.Option(help="Of missed ticks: skip, run_once or run_all.")] = None,
    grace: Annotated[str | None, typer.Option(help="From when on a late tick is missed; a duration.")] = None,
    catch_up: Annotated[int | None, typer.Option(help="The most that run_all makes up for at once.")] = None,
    overlap: Annotated[str | None, typer.Option(help="While a run goes on: queue, skip or cancel_running.")] = None,
    jitter: Annotated[str | None, typer.Option(help="Delay each tick by up to this; a duration.")] = None,
    priority: Annotated[int | None, typer.Option(help="Of its runs; smaller is sooner.")] = None,
    param: Params = None,
    env: Env = None,
) -> None:
    """Make a schedule, or change the one of that name."""
    from controlroom.scheduling import definition
    from controlroom.session import session
    from ops.schedules import Schedules

    said = {
        "cron": cron, "timezone": timezone, "after": after, "min_score": min_score, "on_dataset": on_dataset,
        "when_stale": {"dataset": when_stale, "older_than": older_than} if when_stale else None,
        "webhook": True if webhook else None, "misfire": misfire, "grace": grace, "catch_up": catch_up,
        "overlap": overlap, "jitter": jitter, "priority": priority,
    }  # fmt: skip
    with session() as opened:
        made = definition(opened, pipeline, said, param or [])
        schedule_id = Schedules(opened.connection).put(opened.project_id(), env or opened.settings.env, name, made)
    typer.echo(schedule_id)


@app.command("list")
def list_(env: Annotated[str | None, typer.Option(help="Only dev, stage or prod.")] = None, json: Json = False) -> None:
    """List schedules, with what each waits for next."""
    from controlroom.output import show
    from controlroom.scheduling import starts
    from controlroom.session import session
    from ops.schedules import Schedules

    with session() as opened:
        rows = [{**vars(each), "starts": starts(each)} for each in Schedules(opened.connection).schedules(env=env)]
    columns = ["org", "project", "env", "slug", "pipeline", "starts", "overlap", "paused", "next_at", "last_tick"]
    if not json:
        rows = [{**row, "next_at": row["next_at"] and f"{row['next_at']:%Y-%m-%d %H:%M %Z}"} for row in rows]
    show(rows, columns, json)


@app.command()
def pause(
    name: Name, reason: Annotated[str, typer.Option(help="Why; the list shows it.")] = "", env: Env = None
) -> None:
    """Stop a schedule until it is resumed; runs that have begun go on."""
    from controlroom.scheduling import found

    with found(name, env) as (schedules, row):
        schedules.pause(row.id, reason)


@app.command()
def resume(
    name: Name,
    catch_up: Annotated[
        bool, typer.Option("--catch-up", help="Make up for what was missed, by its misfire policy.")
    ] = False,
    env: Env = None,
) -> None:
    """Let a paused schedule run again; what was due meanwhile is passed over."""
    from controlroom.scheduling import found

    with found(name, env) as (schedules, row):
        schedules.resume(row.id, catch_up)


@app.command()
def remove(name: Name, env: Env = None) -> None:
    """Remove a schedule; its runs and the record of its ticks stay."""
    from controlroom.scheduling import found

    with found(name, env) as (schedules, row):
        schedules.remove(row.id)


@app.command("next")
def next_(
    name: Name,
    count: Annotated[int, typer.Option("--count", "-n", help="How many.", min=1, max=1000)] = 10,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show the next ticks of a clock, without starting anything."""
    from controlroom.output import show
    from controlroom.scheduling import found, upcoming

    with found(name, env) as (_, row):
        rows = upcoming(row, count)
    show(rows, ["utc", "local"], json)


@app.command()
def history(
    name: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many.")] = 20,
    env: Env = None,
    json: Json = False,
) -> None:
    """Show what became of a schedule's ticks, newest first."""
    from controlroom.output import show
    from controlroom.scheduling import found

    with found(name, env) as (schedules, row):
        rows = [vars(each) for each in schedules.ticks(row.id, limit)]
    if not json:
        rows = [{**each, "tick": f"{each['tick']:%Y-%m-%d %H:%M:%S %Z}"} for each in rows]
    show(rows, ["tick", "ticks", "outcome", "run_id", "run_status", "reason"], json)


@app.command()
def fire(
    name: Name,
    key: Annotated[str | None, typer.Option(help="The same key gives the same run.")] = None,
    env: Env = None,
) -> None:
    """Start a schedule's run now, paused or not; prints the run's id."""
    from controlroom.scheduling import found

    with found(name, env) as (schedules, row):
        typer.echo(schedules.fire(row.id, key))


@app.command()
def webhook(name: Name, env: Env = None, json: Json = False) -> None:
    """Make a new secret for a webhook's sender and print it, once, with the address; the secret before ends."""
    from controlroom.output import show_json
    from controlroom.scheduling import found, hook_address

    with found(name, env) as (schedules, row):
        told = {"address": hook_address(row), "secret": schedules.create_webhook_secret(row.id)}
    if json:
        show_json(told)
    else:
        typer.echo(f"{told['address']}\n{told['secret']}")


@freshness_app.command("set")
def set_rule(
    dataset: Annotated[str, typer.Argument(metavar="LAYER.NAME")],
    warn_after: Annotated[str, typer.Option(help="A duration, such as 2h.")],
    error_after: Annotated[str, typer.Option(help="A duration, not shorter.")],
    column: Annotated[str | None, typer.Option(help="Its newest value is the dataset's own clock.")] = None,
    env: Env = None,
) -> None:
    """Say how old a dataset may be."""
    from controlroom.scheduling import freshness_rule
    from controlroom.session import session
    from ops.schedules import Freshness

    rule = freshness_rule(warn_after, error_after, column)
    with session() as opened:
        Freshness(opened.connection).put_rule(
            opened.project_id(), env or opened.settings.env, dataset, timedelta(seconds=rule.warn_after),
            timedelta(seconds=rule.error_after), rule.column,
        )  # fmt: skip


@freshness_app.command("remove")
def remove_rule(dataset: Annotated[str, typer.Argument(metavar="LAYER.NAME")], env: Env = None) -> None:
    """Forget how old a dataset may be."""
    from controlroom.session import session
    from ops.schedules import Freshness

    with session() as opened:
        Freshness(opened.connection).remove_rule(opened.project_id(), env or opened.settings.env, dataset)


@freshness_app.command("list")
def list_rules(
    env: Annotated[str | None, typer.Option(help="Only dev, stage or prod.")] = None, json: Json = False
) -> None:
    """List datasets with a freshness rule: their age, and whether it is ok."""
    from controlroom.output import length, show
    from controlroom.session import session
    from ops.schedules import Freshness

    with session() as opened:
        rows = [vars(each) for each in Freshness(opened.connection).rules(env)]
    if not json:
        spans = ("lag_seconds", "warn_seconds", "error_seconds")
        shown = {name: name.removesuffix("_seconds") for name in spans}
        rows = [
            {
                **row,
                **{shown[name]: "" if row[name] is None else length(timedelta(seconds=row[name])) for name in spans},
            }
            for row in rows
        ]
    show(rows, ["org", "project", "env", "dataset", "state", "lag", "warn", "error", "clock_kind", "since"], json)
