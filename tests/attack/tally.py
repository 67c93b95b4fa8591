"""What was tried, what leaked, and what the tables were like before."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from psycopg import sql


@dataclass
class Tally:
    """``owner`` is the database's, in autocommit; ``leaks`` are lines that say who saw or did what."""

    owner: psycopg.Connection
    attempts: int = 0
    leaks: list[str] = field(default_factory=list)
    # Tables that the test itself changes.
    allowed: set[str] = field(default_factory=set)

    def tried(self, leaked: bool, what: str) -> None:
        self.attempts += 1
        if leaked:
            self.leaks.append(what)

    def everything(self) -> dict[str, str]:
        """A digest of each table's rows."""
        names = self.owner.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname in ('ops', 'private') and c.relkind in ('r', 'p') and not c.relispartition"
        ).fetchall()
        digest = sql.SQL("select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {} t")
        found: dict[str, str] = {}
        for schema, name in names:
            row = self.owner.execute(digest.format(sql.Identifier(schema, name))).fetchone()
            assert row is not None
            found[f"{schema}.{name}"] = str(row[0])
        return found
