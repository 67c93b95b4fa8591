"""``controlroom org | project | member | token | audit``: who belongs where, in whose name, and what they did."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

org_app = typer.Typer(help="Organisations: create, list.", no_args_is_help=True)
project_app = typer.Typer(help="Projects: create, list.", no_args_is_help=True)
member_app = typer.Typer(help="Members of an org or a project: add, remove, list.", no_args_is_help=True)
token_app = typer.Typer(help="Access tokens for the command line and CI: create, revoke, list.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Place = Annotated[str, typer.Argument(metavar="ORG[/PROJECT]", help="An org, or one project of it.")]
Subject = Annotated[str, typer.Argument(help="Who: the sub claim of the person, as `member list` shows it.")]
Envs = Annotated[list[str] | None, typer.Option("--env", help="Only in this environment; as often as needed.")]
Roles = "viewer, operator, editor or admin."


def add_to(app: typer.Typer) -> None:
    """Adds the groups."""
    for name, group in (("org", org_app), ("project", project_app), ("member", member_app), ("token", token_app)):
        app.add_typer(group, name=name)
    app.command()(audit)


def placed(place: str) -> tuple[str, str | None]:
    """``org/project`` in its two halves; an org alone has no second.

    Raises:
        BadInput: one of them is empty.
    """
    from ops.errors import BadInput

    org, slash, project = place.partition("/")
    if not org or (slash and not project):
        raise BadInput(f"{place!r} names no place; write ORG or ORG/PROJECT")
    return org, project or None


def whole(place: str) -> tuple[str, str]:
    """``org/project``, both.

    Raises:
        BadInput: the project is missing.
    """
    from ops.errors import BadInput

    org, project = placed(place)
    if project is None:
        raise BadInput(f"{place!r} names no project; write ORG/PROJECT")
    return org, project


@org_app.command("create")
def create_org(
    org: Annotated[str, typer.Argument(help="Its slug.")],
    admin: Annotated[str, typer.Option(help="Who is to be its first admin.")],
) -> None:
    """Make an organisation with its first admin; for the operator of the installation."""
    from controlroom.session import session

    with session() as opened, opened.connection.transaction():
        opened.tenancy.create_org(org)
        opened.tenancy.set_member(org, None, admin, "admin")
    typer.echo(f"{admin} is admin of {org}")


@org_app.command("list")
def list_orgs(json: Json = False) -> None:
    """List the organisations that you belong to."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        show([vars(each) for each in opened.tenancy.orgs()], ["org", "projects", "created_at"], json)


@project_app.command("create")
def create_project(place: Annotated[str, typer.Argument(metavar="ORG/PROJECT")]) -> None:
    """Make a project of an organisation that you administer; prints its id."""
    from controlroom.session import session

    with session() as opened:
        typer.echo(opened.tenancy.create_project(*whole(place)))


@project_app.command("list")
def list_projects(json: Json = False) -> None:
    """List the projects that you belong to."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        show([vars(each) for each in opened.tenancy.projects()], ["org", "project", "project_id", "created_at"], json)


@member_app.command("add")
def add_member(
    place: Place,
    subject: Subject,
    role: Annotated[str, typer.Option(help=Roles)] = "viewer",
    env: Envs = None,
) -> None:
    """Make somebody a member, or change what a member may do."""
    from controlroom.session import session
    from ops.tenancy import ENVS

    with session() as opened:
        opened.tenancy.set_member(*placed(place), subject, role, env or ENVS)
    typer.echo(f"{subject} is {role} of {place} in {', '.join(env or ENVS)}")


@member_app.command("remove")
def remove_member(place: Place, subject: Subject) -> None:
    """End a membership; what it allowed is gone with the next query."""
    from controlroom.session import session

    with session() as opened:
        opened.tenancy.remove_member(*placed(place), subject)


@member_app.command("list")
def list_members(
    place: Annotated[str | None, typer.Argument(metavar="[ORG[/PROJECT]]", help="Only of this org or project.")] = None,
    json: Json = False,
) -> None:
    """List the members of what you administer, and your own memberships."""
    from controlroom.output import show
    from controlroom.session import session

    org, project = placed(place) if place else (None, None)
    with session() as opened:
        rows = [vars(each) for each in opened.tenancy.members(org, project)]
    show(rows, ["org", "project", "subject", "role", "envs", "created_at"], json)


@token_app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option(help=f"At most: {Roles}")] = "viewer",
    project: Annotated[str | None, typer.Option(metavar="ORG/PROJECT", help="For this project only.")] = None,
    env: Envs = None,
    days: Annotated[float, typer.Option(min=0.01, max=366, help="How long it lasts.")] = 30,
    subject: Annotated[str | None, typer.Option(help="Whose; only the installation's operator says another's.")] = None,
) -> None:
    """Make an access token; prints it this once. Use it as CONTROLROOM_TOKEN."""
    from controlroom.session import session
    from ops.tenancy import ENVS

    with session() as opened:
        project_id = opened.reads.project_id(*whole(project)) if project else None
        token = opened.tenancy.create_access_token(name, role, project_id, env or ENVS, timedelta(days=days), subject)
    typer.echo(token)


@token_app.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="What it was for.")],
    subject: Annotated[str | None, typer.Option(help="Whose; only the installation's operator says another's.")] = None,
) -> None:
    """End an access token at once."""
    from controlroom.session import session

    with session() as opened:
        opened.tenancy.revoke_access_token(name, subject)


@token_app.command("list")
def list_tokens(json: Json = False) -> None:
    """List access tokens: your own."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        rows = [vars(each) for each in opened.tenancy.access_tokens()]
    show(rows, ["name", "subject", "role", "org", "project", "envs", "expires_at", "revoked_at", "last_used_at"], json)


def audit(
    place: Annotated[str | None, typer.Argument(metavar="[ORG/PROJECT]", help="Only of this project.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """Show who changed what, newest first: of what you administer, and your own acts."""
    from controlroom.output import show
    from controlroom.session import session

    with session() as opened:
        project_id = opened.reads.project_id(*whole(place)) if place else None
        rows = [vars(each) for each in opened.tenancy.audit_log(project_id, limit)]
    show(rows, ["at", "subject", "action", "target", "org", "project"], json)
