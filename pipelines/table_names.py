"""Names of tables: ``layer.name``, and ``org/project:layer.name`` for another project's."""

from __future__ import annotations

import re

from ops.errors import BadInput

LAYERS = ("bronze", "silver", "gold", "quarantine")
TABLE = re.compile(r"(bronze|silver|gold|quarantine)\.[a-z][a-z0-9_]{0,99}")
ANOTHERS = re.compile(r"([a-z0-9][a-z0-9_-]{0,62})/([a-z0-9][a-z0-9_-]{0,62}):(.+)", re.DOTALL)


def check_table(table: str) -> str:
    """Returns ``table`` if it is a name.

    Raises:
        BadInput: it is not ``layer.name`` with layer bronze, silver, gold or quarantine and name of a-z, 0-9, _.
    """
    if not TABLE.fullmatch(table):
        raise BadInput(
            f"{table!r} is no table name; write layer.name with layer one of {', '.join(LAYERS)} and name of a-z, 0-9 and _",
            {"table": table},
        )
    return table


def owner_of(table: str) -> tuple[str, str, str] | None:
    """Org, project and ``layer.name`` of another project's table, ``org/project:layer.name``; None for one's own."""
    found = ANOTHERS.fullmatch(table)
    return (found[1], found[2], found[3]) if found else None
