"""What a database needs before anybody works with it: the schema, the project, and whoever is its first admin."""

from __future__ import annotations

from controlroom.first_sign_in import ensure_first_account
from migrations.apply import migrate
from ops.database import LOCAL_OPERATOR, Connection, connect
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy


def install(settings: Settings, url: str) -> None:
    """Brings the database to the newest schema; harmless to repeat.

    Row-level security asks everybody for a membership, also the first admin: where the page asks for no sign-in and listens
    on loopback it is this machine's operator, with local accounts the first of them. By OIDC nobody is known beforehand.
    """
    migrate(url)
    with connect(url, autocommit=True, name="controlroom install") as connection:
        Rpc(connection).ensure_project(settings.org, settings.project)
        if (first := _first_admin(settings, connection)) is not None:
            Tenancy(connection).set_member(settings.org, None, first, "admin")


def _first_admin(settings: Settings, connection: Connection) -> str | None:
    match settings.sign_in:
        case "none":
            return LOCAL_OPERATOR
        case "accounts":
            return ensure_first_account(connection)
        case _:
            return None
