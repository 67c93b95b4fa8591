"""``controlroom account …``: local accounts, for ``CONTROLROOM_SIGN_IN=accounts``."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The account's name; memberships name it as their subject.")]
Hours = Annotated[float, typer.Option(min=0.1, max=720, help="How long the link is good, in hours.")]

app = typer.Typer(help="Local accounts: who may sign in to the page.", no_args_is_help=True)


@app.command()
def add(name: Name, hours: Hours = 24.0) -> None:
    """Make an account and print the link with which its owner sets a password. It belongs to no project yet."""
    from controlroom.session import session
    from ops.accounts import Accounts

    with session() as opened:
        Accounts(opened.connection).add(name)
    link(name, hours)


@app.command()
def link(name: Name, hours: Hours = 24.0) -> None:
    """Print a link that sets a new password, once; earlier links end."""
    from controlroom.first_sign_in import link_address
    from controlroom.session import session
    from ops.accounts import Accounts

    with session() as opened:
        text = Accounts(opened.connection).add_link(name, timedelta(hours=hours))
        typer.echo(f"good once, for {hours:g} h: {link_address(opened.settings, text)}")


@app.command("list")
def list_(json: Json = False) -> None:
    """Show the accounts, and where they are signed in."""
    from controlroom.output import show
    from controlroom.session import session
    from ops.accounts import Accounts

    with session() as opened:
        rows = [vars(row) for row in Accounts(opened.connection).list()]
    show(rows, ["subject", "has_password", "created_at", "disabled_at", "sessions", "last_sign_in"], json)


@app.command()
def disable(name: Name) -> None:
    """Sign an account out everywhere and let nobody in with it; its memberships stay."""
    _disable(name, True)


@app.command()
def enable(name: Name) -> None:
    """Let a disabled account in again, with its password."""
    _disable(name, False)


@app.command()
def password(name: Name) -> None:
    """Set a password: asked for twice at a terminal, else read as a line. Signs the account out everywhere."""
    from controlroom.session import session
    from ops.accounts import Accounts

    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    with session() as opened:
        Accounts(opened.connection).set_password(name, given)
    typer.echo(f"{name} has a new password and is signed out everywhere")


def _disable(name: str, disabled: bool) -> None:
    from controlroom.session import session
    from ops.accounts import Accounts

    with session() as opened:
        Accounts(opened.connection).disable(name, disabled)
    typer.echo(f"{name} is {'disabled and signed out everywhere' if disabled else 'enabled'}")
