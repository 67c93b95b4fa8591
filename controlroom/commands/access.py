"""``controlroom secret | dataset``: what a project's runs may use that is not the project's own."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from controlroom.commands.people import Envs, Json, whole

secret_app = typer.Typer(help="Secrets that a project's runs may resolve: allow, revoke, list.", no_args_is_help=True)
dataset_app = typer.Typer(help="Datasets: list, share with another project, unshare.", no_args_is_help=True)

Project = Annotated[str, typer.Argument(metavar="ORG/PROJECT")]
Reference = Annotated[str, typer.Argument(help="secret://env/NAME or secret://file/PATH; `*` at the end for any rest.")]
Dataset = Annotated[str, typer.Argument(metavar="LAYER.NAME", help="A dataset, such as gold.revenue_by_month.")]
Reader = Annotated[
    UUID, typer.Argument(metavar="PROJECT_ID", help="Who may read: the id that its `project list` shows.")
]
Env = Annotated[str | None, typer.Option(help="dev, stage or prod.")]


def add_to(app: typer.Typer) -> None:
    """Adds the groups."""
    app.add_typer(secret_app, name="secret")
    app.add_typer(dataset_app, name="dataset")


@secret_app.command("allow")
def allow(project: Project, reference: Reference, env: Envs = None) -> None:
    """Let the runs of a project resolve a secret; for the operator of the installation."""
    from controlroom.session import session
    from ops.tenancy import ENVS

    with session() as opened:
        opened.tenancy.allow_secret(opened.reads.project_id(*whole(project)), reference, env or ENVS)


@secret_app.command("revoke")
def revoke(project: Project, reference: Reference) -> None:
    """Take that back; phases that have begun keep what they resolved."""
    from controlroom.session import session

    with session() as opened:
        opened.tenancy.disallow_secret(opened.reads.project_id(*whole(project)), reference)


@secret_app.command("list")
def list_secrets(json: Json = False) -> None:
    """List which references which project may resolve; values are never shown."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        rows = [vars(each) for each in opened.tenancy.secret_grants()]
    show(rows, ["org", "project", "reference", "envs", "granted_at"], json)


@dataset_app.command("list")
def list_datasets(env: Env = None, json: Json = False) -> None:
    """List the lake's tables that you may read, each at its newest registered version."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        rows = [vars(each) for each in opened.reads.datasets(env)]
    show(rows, ["org", "project", "env", "table", "version", "total_rows", "recorded_at"], json)


@dataset_app.command("check")
def check(env: Env = None, json: Json = False) -> None:
    """List commits in the lake that no run has recorded: what owners left that were cut off. Exits with 1 if there are any."""
    from controlroom.output import show
    from controlroom.session import session
    from controlroom.unrecorded import found

    with session() as opened:
        rows = found(opened, env or opened.settings.env)
    show(rows, ["table", "version", "run_id", "phase", "rows", "fingerprint"], json)
    if rows:
        raise typer.Exit(1)


@dataset_app.command("share")
def share(dataset: Dataset, reader: Reader, env: Env = None) -> None:
    """Let another project read a dataset of this one, in that environment."""
    from controlroom.session import session

    with session() as opened:
        wanted = (opened.settings.org, opened.settings.project, env or opened.settings.env, dataset)
        opened.tenancy.share_dataset(opened.tenancy.dataset_id(*wanted), reader)


@dataset_app.command("unshare")
def unshare(dataset: Dataset, reader: Reader, env: Env = None) -> None:
    """Take that back."""
    from controlroom.session import session

    with session() as opened:
        wanted = (opened.settings.org, opened.settings.project, env or opened.settings.env, dataset)
        opened.tenancy.unshare_dataset(opened.tenancy.dataset_id(*wanted), reader)


@dataset_app.command("grants")
def grants(json: Json = False) -> None:
    """List what is shared with whom."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        rows = [vars(each) for each in opened.tenancy.grants()]
    show(rows, ["org", "project", "env", "dataset", "reader", "reader_id", "granted_at"], json)
