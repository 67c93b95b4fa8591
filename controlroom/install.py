"""What a database needs before anybody works with it: the schema, the project, and the operator at the machine itself."""

from __future__ import annotations

from migrations.apply import migrate
from ops.database import LOCAL_OPERATOR, connect
from ops.rpc import Rpc
from ops.settings import Settings
from ops.tenancy import Tenancy


def install(settings: Settings, url: str) -> None:
    """Brings the database to the newest schema; harmless to repeat.

    The page asks for no sign-in and listens on loopback: whoever reaches it is this machine's operator. Row-level security
    asks for a membership even so.
    """
    migrate(url)
    with connect(url, autocommit=True, name="controlroom install") as connection:
        Rpc(connection).ensure_project(settings.org, settings.project)
        Tenancy(connection).set_member(settings.org, None, LOCAL_OPERATOR, "admin")
