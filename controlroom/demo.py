"""The demo: an invented Odoo company, taken through bronze, silver and gold on the local stack."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psycopg
import typer
from psycopg import sql

from controlroom.output import show
from controlroom.secret_files import write_secret
from controlroom.session import Session, session
from controlroom.stack import Wishes, start_stack
from controlroom.submit import Request, submit
from controlroom.watch import watch_run
from ops.database import connect, database_url, with_database
from ops.errors import ControlRoomError, PhaseFailed
from ops.model import RunId, RunStatus
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy

PIPELINES = ("odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold")
SOURCE, READERS = "odoo_demo", "gold_demo"
SEED = 7


def run_demo(settings: Settings, scale: float, wishes: Wishes | None) -> None:
    """Runs the demo and prints the marts; the stack stays up. A repeat goes on with the company that is there.

    Args:
        wishes: what to start; None where executors work already, on the database of the settings and with this home.

    Raises:
        StackFailed: a part of the stack does not start.
        PhaseFailed: a pipeline did not succeed; the message names its run.
    """
    url = start_stack(settings, wishes, typer.echo) if wishes else settings.public_url
    with session(settings) as opened:
        prepare(settings, scale)
        run_ids = [_succeeded(opened, name) for name in PIPELINES]
        _print_marts(opened, run_ids)
    typer.echo(f"\nOdoo → bronze → silver → gold succeeded.{f' Look around: {url}' if url else ''}")
    command = sys.argv[0] if sys.argv[0].endswith("controlroom") else "controlroom"
    typer.echo(f"Ask the lake:   {command} sql 'select * from gold.revenue_by_month limit 10'")  # noqa: S608 - shown, not run
    if wishes:
        typer.echo(f"Stop it all:    {command} down")


def prepare(settings: Settings, scale: float) -> None:
    """Makes the Odoo database and the readers' database, and puts their URLs where the specs' secrets point."""
    owner = database_url(settings)
    source, readers = with_database(owner, SOURCE), with_database(owner, READERS)
    for name in (SOURCE, READERS):
        _create_database(owner, name)
    if _is_empty(source):
        _generate(source, scale)
    write_secret(settings.home, "odoo_dsn", source)
    write_secret(settings.home, "gold_dsn", readers)
    with connect(owner, autocommit=True, name="controlroom demo") as connection:
        project, tenancy = Rpc(connection).ensure_project(settings.org, settings.project), Tenancy(connection)
        for name in ("odoo_dsn", "gold_dsn"):
            tenancy.allow_secret(project, f"secret://file/{name}")


def _generate(source: str, scale: float) -> None:
    from rich.progress import Progress

    from pipelines.odoo.generator import generate

    with Progress(transient=True) as progress:
        task = progress.add_task(f"making an Odoo of scale {scale:g}", total=None)
        rows = generate(source, scale, SEED, lambda done, total: progress.update(task, completed=done, total=total))
    typer.echo(f"made {SOURCE}: {len(rows)} tables, {sum(rows.values()):,} rows")


def _succeeded(opened: Session, pipeline: str) -> RunId:
    run_id = submit(opened, Request(pipeline))
    typer.echo(f"\n{pipeline}: run {run_id}")
    ended = watch_run(opened.reads, run_id)
    if ended.status is not RunStatus.SUCCEEDED:
        why = f"{ended.error_code}: {ended.error_message}" if ended.error_code else "it was canceled"
        raise PhaseFailed(f"{pipeline} ended as {ended.status}: {why}; `controlroom run show {run_id}`")
    return run_id


def _print_marts(opened: Session, run_ids: Sequence[RunId]) -> None:
    made = opened.reads.dataset_versions(run_ids[-1])
    marts = [vars(each) for each in made if each.table.startswith("gold.")]
    show(marts, ["table", "version", "total_rows", "byte_size"], False, "\nGold marts")


def _create_database(owner: str, name: str) -> None:
    """Creates a database unless it is there."""
    with psycopg.connect(owner, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
            try:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            except psycopg.errors.DuplicateDatabase:
                pass
            except psycopg.Error as error:
                raise ControlRoomError(
                    f"database {name} cannot be created: {error}; let the owner create it"
                ) from error


def _is_empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("select to_regclass('public.res_company') is null").fetchone()
    return bool(row and row[0])
