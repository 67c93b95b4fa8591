"""The first way into a control room with local accounts: a link for its first admin, printed until it was used."""

from __future__ import annotations

from controlroom import processes
from ops.accounts import Accounts
from ops.database import Connection, connect
from ops.settings import Settings

FIRST = "admin"


def ensure_first_account(connection: Connection) -> str | None:
    """Makes the first account where there is none; its name, None where there was one."""
    accounts = Accounts(connection)
    if accounts.list():
        return None
    accounts.add(FIRST)
    return FIRST


def first_link(settings: Settings, url: str) -> str | None:
    """Address that lets the first admin set a password; None where somebody has one already.

    Args:
        url: of the database, as its owner.
    """
    with connect(url, autocommit=True, name="controlroom first sign-in") as connection:
        accounts = Accounts(connection)
        known = accounts.list()
        if any(each.has_password for each in known) or FIRST not in {each.subject for each in known}:
            return None
        return link_address(settings, accounts.add_link(FIRST))


def link_address(settings: Settings, text: str) -> str:
    """Where a browser uses a link: the public address, or that of the page which this home started."""
    page = processes.recorded(settings.home).get("dashboard")
    where = settings.public_url or (page.where if page else "http://127.0.0.1:8501")
    return f"{where}/sign-in/link?of={text}"
