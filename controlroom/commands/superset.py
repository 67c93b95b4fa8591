"""``controlroom superset …``: gold in Apache Superset – its server, what a publish would do, the publish, the proof."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Gold in Apache Superset.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Another is taken where it is in use.")] = 8088,
) -> None:
    """Start this home's own Superset; `down` ends it with the rest of the stack."""
    from controlroom.bi_server import start_superset
    from ops.settings import Settings

    settings = Settings.load()
    url = start_superset(settings, port, typer.echo)
    typer.echo(
        f"superset: {url}, as {settings.superset_user}; the password is in {settings.home / 'secrets/superset_admin'}"
    )


@app.command()
def database() -> None:
    """Make the role and the database in which a Superset that runs elsewhere keeps what is its own; harmless to repeat."""
    from controlroom.bi_server import METADATA, METADATA_SECRET, make_database
    from ops.settings import Settings

    make_database(Settings.load())
    typer.echo(f"database and role {METADATA} are there; the password is that of {METADATA_SECRET}")


@app.command()
def down() -> None:
    """Stop this home's Superset alone."""
    from controlroom.bi_server import stop_superset
    from ops.settings import Settings

    typer.echo("stopped" if stop_superset(Settings.load()) else "no Superset runs here")


@app.command()
def publish(json: Json = False) -> None:
    """Publish the project's gold: datasets, dashboards, roles, rules; nothing is certified that was not verified."""
    from controlroom.bi import publish_gold
    from controlroom.output import show
    from ops.settings import Settings

    report = publish_gold(Settings.load(), (lambda _: None) if json else typer.echo)
    rows = [{**vars(one), "new_people": list(report.new_people)} for one in report.datasets]
    show(rows, ["dataset", "certified", "why_not", "dashboard"], json, "Published")
    if report.new_people and not json:
        typer.echo(f"new in Superset: {', '.join(report.new_people)}; `controlroom superset password NAME` lets one in")


@app.command()
def follow() -> None:
    """Publish whatever phases with `superset: true` ask for, until stopped; `superset up` starts this too."""
    import signal

    from controlroom.bi_follow import Follower
    from ops import logs
    from ops.secrets import SecretStore
    from ops.settings import Settings

    settings = Settings.load()
    logs.configure(SecretStore(settings.home).redact)
    follower = Follower(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: follower.stop())
    follower.work()


@app.command()
def waiting(json: Json = False) -> None:
    """Show what phases asked for and is not published yet, with what the last try came to."""
    from controlroom.output import show
    from controlroom.session import session
    from ops.bi import Bi

    with session() as opened:
        rows = [
            {**vars(one), "scope": f"{one.org}/{one.project} ({one.env})"}
            for one in Bi(opened.connection).waiting_wishes()
        ]
    show(rows, ["scope", "run_id", "asked_at", "tries", "error"], json, "Waiting for Superset")


@app.command()
def plan(
    everything: Annotated[bool, typer.Option("--all", help="Also what a publish leaves as it is.")] = False,
    json: Json = False,
) -> None:
    """Show what a publish would do, and what was edited by hand; changes nothing."""
    from controlroom.bi import plan_gold
    from controlroom.output import show
    from ops.settings import Settings

    steps = [
        {**vars(one), "fields": ", ".join(one.fields)}
        for one in plan_gold(Settings.load())
        if everything or one.action != "keep" or one.by_hand
    ]
    show(steps, ["action", "kind", "name", "by_hand", "fields"], json, "What a publish would do")


@app.command()
def verify(json: Json = False) -> None:
    """Ask Superset as a member and as a stranger whether anybody sees what is not theirs; ends with 1 if so."""
    from controlroom.bi import verify_gold
    from controlroom.output import show
    from ops.settings import Settings

    objects, findings = verify_gold(Settings.load())
    wrong = {one.dataset for one in findings}
    rows = [
        {
            "dataset": one.name, "isolated": one.name not in wrong, "certified": one.certified_at is not None,
            "run": one.run_id, "fingerprint": one.fingerprint,
        }
        for one in objects
    ]  # fmt: skip
    show(rows, ["dataset", "isolated", "certified", "run", "fingerprint"], json, "Isolation")
    for one in findings:
        typer.secho(f"{one.dataset or 'server'}: {one.question}: {one.answer}", fg="red", err=True)
    if findings:
        raise typer.Exit(1)


@app.command()
def unpublish(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take everything of the project out of Superset; charts that people made stay, without a dataset."""
    from controlroom.bi import unpublish_gold
    from ops.settings import Settings

    settings = Settings.load()
    if not yes:
        typer.confirm(f"Take {settings.org}/{settings.project} ({settings.env}) out of Superset?", abort=True)
    for one in unpublish_gold(settings):
        typer.echo(f"{one.action} {one.kind} {one.name}")


@app.command()
def password(subject: Annotated[str, typer.Argument(help="A member, by its subject.")]) -> None:
    """Give a member a new password for Superset and print it, this once."""
    from controlroom.bi import set_password
    from controlroom.bi_server import new_password
    from ops.settings import Settings

    fresh = new_password()
    set_password(Settings.load(), subject, fresh)
    typer.echo(fresh)
