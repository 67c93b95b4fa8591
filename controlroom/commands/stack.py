"""``controlroom up``, ``down``, ``status`` and ``demo``: the local stack."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Ray = Annotated[bool, typer.Option("--ray/--no-ray", help="Executors on Ray, or as plain processes.")]
Executors = Annotated[int, typer.Option(min=1, max=64, help="How many executors.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The dashboard's; another is taken where it is in use.")]
Metrics = Annotated[int, typer.Option(min=0, max=65535, help="Port of the metrics for Prometheus; 0: none.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the front door."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(demo)


def up(ray: Ray = True, executors: Executors = 2, port: Port = 8501, metrics: Metrics = 0) -> None:
    """Start the local stack: Postgres, executors, steward, dashboard. What runs already is left alone."""
    from controlroom.stack import Wishes, start_stack
    from ops.settings import Settings

    url = start_stack(Settings.load(), Wishes(ray, executors, port, metrics), typer.echo)
    typer.echo(f"control room: {url}")


def down() -> None:
    """Stop everything that `up` started here; executors finish or give back what they own."""
    from controlroom.stack import stop_stack
    from ops.settings import Settings

    stop_stack(Settings.load(), typer.echo)


def status(json: Json = False) -> None:
    """Show what runs; starts nothing. Ends with 4 unless all of it does."""
    from controlroom.output import show
    from controlroom.stack import stack_status
    from ops.settings import Settings

    rows = stack_status(Settings.load())
    show([vars(row) for row in rows], ["part", "running", "pid", "where"], json)
    if not all(row.running for row in rows):
        raise typer.Exit(4)


def demo(
    scale: Annotated[
        float, typer.Option(min=0.001, max=1000, help="1 is 4,000 sales orders; 400 ten million items.")
    ] = 0.25,
    ray: Ray = True,
    executors: Executors = 2,
    port: Port = 8501,
    stack: Annotated[bool, typer.Option(help="Start the stack, or use executors that run elsewhere.")] = True,
) -> None:
    """Start the stack, make an Odoo, take it through bronze, silver and gold, and leave the control room running."""
    from controlroom.demo import run_demo
    from controlroom.stack import Wishes
    from ops.settings import Settings

    run_demo(Settings.load(), scale, Wishes(ray, executors, port) if stack else None)
