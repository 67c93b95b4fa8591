"""``controlroom run logs``, ``metrics`` and ``caps``: what the installation says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from controlroom.commands import run
from controlroom.commands.run import Json, RunArgument


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the front door."""
    run.app.command()(logs)
    app.command()(metrics)
    app.command()(caps)


def logs(
    run: RunArgument,
    phase: Annotated[str | None, typer.Option(help="Only of this phase.")] = None,
    grep: Annotated[str | None, typer.Option(help="Only lines in which this regular expression is found.")] = None,
    level: Annotated[str | None, typer.Option(help="Only from this level on: debug, info, warning, error.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay until the run ends.")] = False,
    json: Json = False,
) -> None:
    """Show what the phases of a run printed, warned and logged; with --json one JSON object a line."""
    from controlroom.run_logs import Filter, followed, lines_of
    from controlroom.session import session
    from ops.artifacts import ArtifactStore

    wanted = Filter(phase, grep, level)
    with session() as opened:
        settings = opened.settings
        store = ArtifactStore(settings.artifacts, settings.storage_options)
        run_id = opened.reads.resolve_run(run)
        read = followed if follow else lines_of
        for line in read(opened.reads, store, run_id, wanted):
            _print_line(line, json)


def _print_line(line: Mapping[str, object], as_json: bool) -> None:
    import json

    from controlroom.run_logs import text_of

    if as_json:
        typer.echo(json.dumps(line, ensure_ascii=False))
        return
    when = str(line.get("ts", ""))[11:23]
    level = str(line.get("level", "info"))
    head = f"{when} {line.get('phase', '')} {line.get('stream', ''):<8} {level:<7}"
    typer.secho(f"{head} {text_of(line)}", fg={"warning": "yellow", "error": "red", "critical": "red"}.get(level))


def metrics(
    host: Annotated[str, typer.Option(help="Address to listen on; beyond loopback a token is needed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one and prints it.")] = 9464,
    token: Annotated[str | None, typer.Option(help="Reference of the token: secret://file/NAME.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Print one scrape and end.")] = False,
) -> None:
    """Serve metrics for Prometheus under /metrics until SIGTERM or Ctrl-C."""
    from controlroom.metrics_server import print_once, serve
    from ops.settings import Settings

    settings = Settings.load()
    if once:
        print_once(settings)
    else:
        serve(settings, host, port, token, typer.echo)


def caps(
    no_run: Annotated[bool, typer.Option("--no-run", help="Only show what probes have seen before.")] = False,
    wait: Annotated[float, typer.Option(min=1, help="Seconds that the probes' run may take.")] = 300.0,
    stale_days: Annotated[int, typer.Option(min=1, help="Evidence older than this is called stale.")] = 7,
    json: Json = False,
) -> None:
    """Probe what this installation can and print the CAPS report as Markdown. Ends with 1 if a probe failed."""
    from datetime import timedelta

    from controlroom.caps import markdown, matrix, probe
    from controlroom.output import show_json
    from controlroom.session import session
    from ops.watching import Watching

    with session() as opened:
        if not no_run:
            probe(opened, wait)
        rows = Watching(opened.connection).capabilities()
    stale = timedelta(days=stale_days)
    if json:
        show_json(matrix(rows, stale))
    else:
        typer.echo(markdown(rows, stale))
    if any(row.failure for row in rows):
        raise typer.Exit(1)
