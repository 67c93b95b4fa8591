"""An Odoo-shaped database to read from, and any number of journal items in it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from benchmarks.server import Server
from pipelines.odoo.generator import generate

JOURNAL = "account_move_line"
SEED_SCALE = 4.0

COLUMNS = """
select attname from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""


def odoo(host: Server, scale: float) -> str:
    """Generates the source and returns its URL."""
    url = host.database("odoo", migrated=False)
    generate(url, scale)
    _settle(url)
    return url


def journal_items(host: Server, rows: int) -> str:
    """A generated source whose journal holds exactly ``rows`` items, further ones copied under new ids."""
    url = host.database("odoo", migrated=False)
    generate(url, SEED_SCALE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        names = [str(name) for (name,) in connection.execute(COLUMNS, [JOURNAL]).fetchall()]
        columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
        values = sql.SQL(", ").join(
            sql.SQL("id + %(shift)s") if name == "id" else sql.Identifier(name) for name in names
        )
        table = sql.Identifier(JOURNAL)
        last, have = _ids(connection)
        connection.execute(sql.SQL("create temp table seed as select * from {}").format(table))
        shift = last
        while have < rows:
            done = connection.execute(
                sql.SQL("insert into {} ({}) select {} from seed limit %(wanted)s").format(table, columns, values),
                {"shift": shift, "wanted": rows - have},
            )
            have, shift = have + done.rowcount, shift + last
        connection.execute(
            sql.SQL("delete from {0} where id in (select id from {0} order by id desc limit %(surplus)s)").format(
                table
            ),
            {"surplus": have - rows},
        )
    _settle(url)
    return url


def _ids(connection: psycopg.Connection) -> tuple[int, int]:
    row = connection.execute(sql.SQL("select max(id), count(*) from {}").format(sql.Identifier(JOURNAL))).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _settle(url: str) -> None:
    """Hint bits, statistics and a checkpoint now, so that no contender pays for them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
