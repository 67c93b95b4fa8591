"""``controlroom alert | channel | route``: what went wrong, who is told, and who sees to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

app = typer.Typer(help="Alerts: list, show, ack, mute, maintenance, silences, rules.", no_args_is_help=True)
rule_app = typer.Typer(help="What fires: list, set, remove.", no_args_is_help=True)
silence_app = typer.Typer(help="When nobody is told: list, end.", no_args_is_help=True)
channel_app = typer.Typer(help="Where messages go: list, set, remove, test.", no_args_is_help=True)
route_app = typer.Typer(help="The routing matrix: list, set.", no_args_is_help=True)
app.add_typer(rule_app, name="rule")
app.add_typer(silence_app, name="silence")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Alert = Annotated[str, typer.Argument(metavar="ALERT", help="An alert's id or the last characters of it.")]
RuleName = Annotated[str, typer.Argument(metavar="RULE", help="A rule's name.")]
ChannelName = Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel's name.")]
Length = Annotated[str, typer.Option("--for", help="How long; a duration, such as 2h.")]
Env = Annotated[str | None, typer.Option(help="Only dev, stage or prod.")]
Group = Annotated[str | None, typer.Option("--group", help="Only this pipeline or dataset.")]


def add_to(parent: typer.Typer) -> None:
    """Adds the groups."""
    parent.add_typer(app, name="alert")
    parent.add_typer(channel_app, name="channel")
    parent.add_typer(route_app, name="route")


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List alerts, newest first."""
    from controlroom.alert_desk import desk
    from controlroom.output import show

    with desk() as (alerts, _):
        rows = [vars(each) for each in alerts.alerts(everything, limit)]
    if not json:
        rows = [{**row, "alert": str(row["alert_id"])[-12:]} for row in rows]
    show(rows, ["alert", "state", "severity", "env", "title", "said", "opened_at", "acknowledged_by"], json)


@app.command("show")
def show_(alert: Alert, json: Json = False) -> None:
    """Show an alert, and what became of each message about it."""
    from controlroom.alert_desk import desk, print_alert

    with desk() as (alerts, _):
        row = alerts.find(alert)
        print_alert(row, alerts.messages(row.alert_id), json)


@app.command()
def ack(alert: Alert) -> None:
    """Say that you see to it: nobody further is asked."""
    from controlroom.alert_desk import desk

    with desk() as (alerts, _):
        alerts.acknowledge(alerts.find(alert).alert_id)


@app.command()
def mute(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="A rule's name; without, the whole project.")
    ] = None,
    length: Length = "1h",
    reason: Annotated[str, typer.Option(help="Why; others read it.")] = "muted by hand",
    env: Env = None,
    group: Group = None,
) -> None:
    """Send nothing for a while. What is still wrong after it is told then."""
    _silence("mute", rule, length, reason, None, env, group)


@app.command()
def maintenance(
    reason: Annotated[str, typer.Option(help="What is being worked on.")],
    length: Length = "1h",
    starts: Annotated[datetime | None, typer.Option(help="When it begins (UTC); without, now.")] = None,
    env: Env = None,
) -> None:
    """Announce a time in which nobody is told. What is still wrong after it is told then."""
    _silence("maintenance", None, length, reason, starts, env, None)


def _silence(
    kind: str, rule: str | None, length: str, reason: str, starts: datetime | None, env: str | None, group: str | None
) -> None:
    from controlroom.alert_desk import desk, in_utc, span

    with desk() as (alerts, project_id):
        made = alerts.silence(project_id, kind, span(length), reason, in_utc(starts), env, rule, group)
    typer.echo(made)


@silence_app.command("list")
def list_silences(json: Json = False) -> None:
    """List silences that are not over."""
    from controlroom.alert_desk import desk
    from controlroom.output import show

    with desk() as (alerts, _):
        rows = [vars(each) for each in alerts.silences()]
    if not json:
        rows = [{**row, "ends": f"{row['ends_at']:%Y-%m-%d %H:%M} UTC"} for row in rows]
    show(
        rows, ["silence_id", "kind", "org", "project", "env", "rule", "group_key", "ends", "reason", "created_by"], json
    )


@silence_app.command("end")
def end_silence(silence: Annotated[str, typer.Argument(help="A silence's id.")]) -> None:
    """End a silence now."""
    from controlroom.alert_desk import desk, identified

    with desk() as (alerts, _):
        alerts.end_silence(identified(silence, "silence"))


@rule_app.command("list")
def list_rules(json: Json = False) -> None:
    """List rules."""
    from controlroom.alert_desk import asks, desk
    from controlroom.output import show

    with desk() as (alerts, _):
        rows = [{**vars(each), "fires": asks(each)} for each in alerts.rules()]
    show(rows, ["org", "project", "name", "fires", "severity", "enabled", "description"], json)


@rule_app.command("set")
def set_rule(
    name: RuleName,
    signal: Annotated[str | None, typer.Option(help="A signal, or score, run_failed, freshness, queue_age.")] = None,
    comparison: Annotated[str | None, typer.Option(help="<, <=, > or >=.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Fires where the value is beyond it.")] = None,
    clear_threshold: Annotated[float | None, typer.Option("--clear", help="Closes where it is beyond no more.")] = None,
    aggregate: Annotated[str | None, typer.Option(help="last, max, min, avg, count or share.")] = None,
    within: Annotated[str | None, typer.Option(help="Of the runs of so long; a duration.")] = None,
    consecutive: Annotated[int | None, typer.Option(help="Breaches in a row before it fires.")] = None,
    group_by: Annotated[str | None, typer.Option(help="pipeline or project.")] = None,
    severity: Annotated[str | None, typer.Option(help="info, warning or critical.")] = None,
    area: Annotated[str | None, typer.Option(help="The row of the routing matrix that knows whom to ask.")] = None,
    env: Env = None,
    pipeline: Annotated[str | None, typer.Option(help="Only of this pipeline.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only of LAYER.NAME.")] = None,
    gather: Annotated[str | None, typer.Option(help="Gather messages for so long; a duration.")] = None,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Switch it on or off.")] = None,
) -> None:
    """Make a rule, or change the one of that name; what is not said stays."""
    from controlroom.alert_desk import desk, span

    said = {
        "signal": signal, "comparison": comparison, "threshold": threshold, "clear_threshold": clear_threshold,
        "aggregate": aggregate, "within": within and f"{span(within).total_seconds()} seconds",
        "consecutive": consecutive, "group_by": group_by, "severity": severity, "area": area, "env": env,
        "pipeline": pipeline, "dataset": dataset, "gather_seconds": gather and span(gather).total_seconds(),
        "description": description, "enabled": enabled,
    }  # fmt: skip
    with desk() as (alerts, project_id):
        alerts.put_rule(project_id, name, {key: value for key, value in said.items() if value is not None})


@rule_app.command("remove")
def remove_rule(name: RuleName) -> None:
    """Remove a rule with its alerts; what comes with the installation is switched off instead."""
    from controlroom.alert_desk import desk

    with desk() as (alerts, project_id):
        alerts.remove_rule(project_id, name)


@channel_app.command("list")
def list_channels(json: Json = False) -> None:
    """List channels."""
    from controlroom.alert_desk import desk
    from controlroom.output import show

    with desk() as (alerts, _):
        rows = [vars(each) for each in alerts.channels()]
    show(rows, ["name", "owner", "secret", "description"], json)


@channel_app.command("set")
def set_channel(
    name: ChannelName,
    secret: Annotated[str, typer.Argument(help="Reference to its address (an Apprise URL): secret://file/NAME.")],
    owner: Annotated[str | None, typer.Option(help="Whose it is, as the routing matrix says: @data-owners.")] = None,
    description: Annotated[str, typer.Option(help="What it is.")] = "",
) -> None:
    """Make a channel, or change the one of that name."""
    from controlroom.alert_desk import desk

    with desk() as (alerts, _):
        alerts.put_channel(name, secret, owner, description)


@channel_app.command("remove")
def remove_channel(name: ChannelName) -> None:
    """Remove a channel; messages that wait for it say so."""
    from controlroom.alert_desk import desk

    with desk() as (alerts, _):
        alerts.remove_channel(name)


@channel_app.command("test")
def try_channel(
    name: ChannelName,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the answer.")] = 30.0,
) -> None:
    """Send a test message, and say whether it arrived."""
    from controlroom.alert_desk import await_message, desk

    with desk() as (alerts, project_id):
        await_message(alerts, alerts.test_channel(project_id, name), wait)


@route_app.command("list")
def list_routes(json: Json = False) -> None:
    """List the routing matrix in the order in which it is asked."""
    from controlroom.alert_desk import desk, steps
    from controlroom.output import show

    with desk() as (alerts, _):
        rows = [{**vars(each), "then": steps(each)} for each in alerts.routes()]
    show(rows, ["area", "match", "primary_owner", "channels", "then", "secondary_owner", "priority"], json)


@route_app.command("set")
def set_route(
    area: Annotated[str, typer.Argument(help="The row's name.")],
    match: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE that it is for: area, env, project, pipeline.")
    ] = None,
    primary: Annotated[str | None, typer.Option(help="Who is asked first.")] = None,
    secondary: Annotated[str | None, typer.Option(help="Who is asked second.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Channels beside the owner's; as often as needed.")] = None,
    escalate: Annotated[
        list[str] | None, typer.Option(help="DURATION:WHOM – secondary, or a channel; as often as needed, in order.")
    ] = None,
    priority: Annotated[int | None, typer.Option(help="Smaller is asked sooner.")] = None,
) -> None:
    """Make a row of the routing matrix, or change the one of that name; what is not said stays."""
    from controlroom.alert_desk import desk, matching, step

    said = {
        "match": matching(match) if match else None, "primary_owner": primary, "secondary_owner": secondary,
        "channels": channel or None, "escalation": [step(each) for each in escalate] if escalate else None,
        "priority": priority,
    }  # fmt: skip
    with desk() as (alerts, _):
        alerts.put_route(area, {key: value for key, value in said.items() if value is not None})
