"""``controlroom migrate``, ``executor``, ``drain`` and ``doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the front door."""
    app.command()(migrate)
    app.command()(executor)
    app.command()(drain)
    app.command()(doctor)


def migrate() -> None:
    """Bring the database to the newest ops schema, with this project in it; harmless to repeat."""
    from controlroom.install import install
    from migrations.apply import revisions
    from ops.database import database_url
    from ops.settings import Settings

    settings = Settings.load()
    install(settings, database_url(settings))
    typer.echo(f"schema ops is at {revisions()[-1]}")


def executor(
    slots: Annotated[int, typer.Option(min=1, max=64, help="Runs owned at once.")] = 2,
    grace: Annotated[float, typer.Option(min=0, help="Seconds that a drain lets begun phases finish.")] = 30.0,
    capabilities: Annotated[
        str, typer.Option(help="What it can do, as names with commas between them: gpu,odoo.")
    ] = "",
) -> None:
    """Work as an executor in this process, without Ray, until SIGTERM or Ctrl-C; then drain."""
    from compute.executor import named
    from compute.plain import run_executor
    from ops.settings import Settings

    run_executor(Settings.load(), slots, grace, named(capabilities))


def drain(
    executor: Annotated[str, typer.Argument(help="Its name, or the end of its id, as the page Fleet shows them.")],
) -> None:
    """Ask an executor to take no further run, to end what it is at and to end. Admins of every org may."""
    from controlroom.session import session
    from ops.fleet_reads import Fleet

    with session() as opened:
        found = Fleet(opened.connection).named(executor)
        news = opened.rpc.drain_executor(found.executor_id)
        typer.echo(f"{found.name} {'is' if news else 'was already'} asked to drain")


def doctor(
    only: Annotated[
        list[str] | None, typer.Option(help="Only this part, as the check calls it; may be given more than once.")
    ] = None,
    json: Json = False,
) -> None:
    """Check each part that the control room stands on and say what to do; starts nothing. Ends with 1 if one is wrong."""
    from controlroom.doctor import examine
    from controlroom.output import show_json
    from ops.settings import Settings

    findings = examine(Settings.load(), only or ())
    if json:
        show_json(findings)
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.said}")
            if finding.do:
                typer.echo(f"     → {finding.do}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
