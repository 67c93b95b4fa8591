"""Commands of ``controlroom`` about what is known of tables and columns: ``dataset …``, ``lineage``, ``catalog``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controlroom.commands.access import Dataset, Env, dataset_app
from controlroom.commands.people import Json

if TYPE_CHECKING:
    from uuid import UUID

    from ops.catalog import Catalog, Entry

lineage_app = typer.Typer(help="Which tables and columns came from which.", no_args_is_help=True)
catalog_app = typer.Typer(help="The catalog as a whole: export it.", no_args_is_help=True)

Column = Annotated[str | None, typer.Option(help="Of this column, not of the table.")]


class Pii(StrEnum):
    YES = "yes"
    NO = "no"
    UNSAID = "unsaid"


class Form(StrEnum):
    TREE = "tree"
    JSON = "json"
    MERMAID = "mermaid"


class ExportForm(StrEnum):
    DATAHUB = "datahub"
    OPENMETADATA = "openmetadata"
    OPENLINEAGE = "openlineage"


def add_to(app: typer.Typer) -> None:
    """Adds the groups; the commands of ``dataset`` join the group that is there."""
    app.add_typer(lineage_app, name="lineage")
    app.add_typer(catalog_app, name="catalog")


@contextmanager
def _opened(env: str | None) -> Iterator[tuple[Catalog, UUID, str]]:
    from controlroom.session import session
    from ops.catalog import Catalog

    with session() as opened:
        yield Catalog(opened.connection), opened.project_id(), env or opened.settings.env


@dataset_app.command("show")
def show_dataset(dataset: Dataset, env: Env = None, json: Json = False) -> None:
    """Show a table: its owners, tags, description, and its columns with what is said of them."""
    from controlroom.output import show, show_json

    with _opened(env) as (catalog, project, where):
        entry = catalog.entry(project, where, dataset)
    if json:
        show_json(entry)
        return
    for name in ("description", "owners", "tags", "version", "total_rows"):
        value = getattr(entry, name)
        typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else '' if value is None else value}")
    show(_columns(entry), ["column", "type", "pii", "pii_from", "tags", "description"], as_json=False)


def _columns(entry: Entry) -> list[dict[str, object]]:
    from ops.catalog import ColumnNote

    silent = ColumnNote()
    return [
        {"column": name, "type": kind, **vars(entry.notes.get(name, silent))} for name, kind in entry.columns.items()
    ]


@dataset_app.command("history")
def history(dataset: Dataset, env: Env = None, json: Json = False) -> None:
    """List how the table's columns changed: added, removed, retyped, at which version, by which run."""
    from controlroom.output import show
    from ops.catalog import schema_changes

    with _opened(env) as (catalog, project, where):
        changes = schema_changes(catalog.versions(catalog.entry(project, where, dataset).dataset_id))
    columns = ["version", "change", "column", "before", "after", "run_id", "recorded_at"]
    show([vars(each) for each in changes], columns, json)


@dataset_app.command("owner")
def owner(
    dataset: Dataset,
    owners: Annotated[list[str] | None, typer.Argument(help="People or teams; none to leave it nobody's.")] = None,
    env: Env = None,
) -> None:
    """Say who owns a table."""
    with _opened(env) as (catalog, project, where):
        catalog.note_dataset(catalog.entry(project, where, dataset).dataset_id, owners=owners or [])


@dataset_app.command("tag")
def tag(
    dataset: Dataset,
    tags: Annotated[list[str] | None, typer.Argument(help="The tags that it has from now on; none for none.")] = None,
    column: Column = None,
    env: Env = None,
) -> None:
    """Tag a table or one of its columns."""
    with _opened(env) as (catalog, project, where):
        found = catalog.entry(project, where, dataset).dataset_id
        if column is None:
            catalog.note_dataset(found, tags=tags or [])
        else:
            catalog.note_column(found, column, tags=tags or [])


@dataset_app.command("describe")
def describe(
    dataset: Dataset, text: Annotated[str, typer.Argument(help="What it is.")], column: Column = None, env: Env = None
) -> None:
    """Say what a table or one of its columns is."""
    with _opened(env) as (catalog, project, where):
        found = catalog.entry(project, where, dataset).dataset_id
        if column is None:
            catalog.note_dataset(found, description=text)
        else:
            catalog.note_column(found, column, description=text)


@dataset_app.command("pii")
def pii(
    dataset: Dataset,
    column: Annotated[str, typer.Argument(help="A column of it.")],
    what: Annotated[Pii, typer.Argument(help="yes, no, or unsaid: then its sources decide.")] = Pii.YES,
    env: Env = None,
) -> None:
    """Say whether a column is personal data. What is made from it is then suspected, until somebody says no of it."""
    with _opened(env) as (catalog, project, where):
        catalog.note_column(catalog.entry(project, where, dataset).dataset_id, column, pii=str(what))


@lineage_app.command("show")
def show_lineage(
    table: Dataset,
    column: Column = None,
    downstream: Annotated[
        bool, typer.Option("--downstream/--upstream", help="What is made from it, or what it is made from.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", help="How it is shown.")] = Form.TREE,
    env: Env = None,
) -> None:
    """Show where a table or a column comes from, or what is made from it."""
    from controlroom import lineage_view
    from controlroom.output import show_json

    with _opened(env) as (catalog, project, where):
        whole = catalog.lineage(project, where)
        # A table that no run of ours wrote is known as somebody's input only.
        if all(table not in pair for pair in whole.tables):
            catalog.entry(project, where, table)
    edges = lineage_view.reached(whole, table, column, downstream=downstream)
    match form:
        case Form.JSON:
            show_json(edges)
        case Form.MERMAID:
            typer.echo(lineage_view.mermaid(edges))
        case Form.TREE:
            typer.echo(lineage_view.tree(edges, lineage_view.name_of(table, column), downstream=downstream))
            if table in whole.unknown:
                columns, reason = whole.unknown[table]
                typer.echo(f"not everything is known of {', '.join(columns)}: {reason}")


@catalog_app.command("export")
def export(
    form: Annotated[ExportForm, typer.Option("--format", help="Whose catalog is to take it in.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else it is printed.")] = None,
    owners: Annotated[
        Path | None, typer.Option(help="JSON of owners' ids on an OpenMetadata server, by their names here.")
    ] = None,
    env: Env = None,
) -> None:
    """Write the catalog of a project's environment, as far as you may read it, in the form that another catalog takes in."""
    from controlroom.catalog_export import datahub, openlineage, openmetadata
    from controlroom.catalog_export.snapshot import taken
    from controlroom.session import session

    with session() as opened:
        snapshot = taken(opened.connection, opened.project_id(), opened.settings, env or opened.settings.env)
    match form:
        case ExportForm.DATAHUB:
            text = datahub.text(snapshot)
        case ExportForm.OPENMETADATA:
            text = openmetadata.text(snapshot, openmetadata.read_ids(owners))
        case ExportForm.OPENLINEAGE:
            text = openlineage.text(snapshot)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text)
        typer.echo(f"wrote {len(snapshot.entries)} tables to {output}", err=True)
