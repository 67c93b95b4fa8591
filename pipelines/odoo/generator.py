"""Odoo-shaped data in any Postgres: the same (seed, scale) gives the same rows, byte for byte.

An invented trading group with three companies (one a branch), five currencies and two years of business: quotations
become deliveries and invoices, purchases become receipts and bills, and those are paid, partly paid, refunded or left
open. Business comes in blocks of at most 4,000 sales orders, drawn from (seed, block): memory is bounded by one block
whatever the scale. Scale 1 has about 25,000 journal items; scale 400 has ten million.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import psycopg
from psycopg import sql

from ops.errors import BadInput
from pipelines.odoo.demo import invoices, masterdata, orders, stock, world
from pipelines.odoo.demo.books import Books
from pipelines.odoo.demo.funnel import funnel
from pipelines.odoo.demo.orders import PURCHASES, SALES, Frames, Side
from pipelines.odoo.demo.tables import Connection, Ids, add_keys, copy, create
from pipelines.odoo.demo.world import BOOKS_END, BOOKS_OPEN, ORDERS_PER_BLOCK, World
from pipelines.odoo.silver import contract

PURCHASES_PER_SALE: Final = 0.35
# A day's new orders were placed up to this long ago, so that some of them are invoiced and paid by now.
BACKLOG: Final = timedelta(days=60)
MUTATE: Final = Path(__file__).parent / "demo" / "sql" / "mutate.sql"
Progress = Callable[[int, int], None]


def generate(url: str, scale: float = 1.0, seed: int = 7, progress: Progress | None = None) -> dict[str, int]:
    """Creates the contract's tables in schema ``public`` of an empty database and fills them, in one transaction.

    Args:
        url: libpq URL or connection string; the role must be allowed to create tables.
        scale: 1 is 4,000 sales orders.
        progress: called with (blocks done, blocks) after each block.

    Returns:
        Rows by table.
    """
    rows: dict[str, int] = {}
    group = world.build(seed, scale)
    blocks = _blocks(scale)
    with psycopg.connect(url) as connection:
        create(connection)
        ids, on_hand = Ids(), stock.OnHand(group)
        _copy_all(connection, masterdata.frames(group), rows)
        for number, count in enumerate(blocks):
            random = np.random.default_rng([seed, 2, number])
            for frames in block(group, random, ids, on_hand, count, BOOKS_OPEN, BOOKS_END):
                _copy_all(connection, frames, rows)
            if progress:
                progress(number + 1, len(blocks))
        _copy_all(connection, {"stock_quant": on_hand.frame(ids, np.datetime64(BOOKS_END, "us"))}, rows)
        # Read back by mutate(), which has to know the world that it goes on with.
        remark = sql.Literal(f"generated: seed={seed} scale={scale}")
        connection.execute(sql.SQL("comment on table res_company is {}").format(remark))
        add_keys(connection)
    return rows


def mutate(url: str, day: int) -> dict[str, int]:
    """One more business day for a generated database: changes, deletes and new orders, in one transaction.

    The same database and day give the same result. Among the changes are the traps of a real Odoo: deletes that touch
    no ``write_date``, and rows whose ``write_date`` lies behind a watermark that has moved on.

    Args:
        day: 1 is the first day after the generated years; each day is to be lived once, in order.

    Returns:
        Rows changed or deleted under ``changed``, and new rows by table.

    Raises:
        BadInput: the database was not made by :func:`generate`.
    """
    at = BOOKS_END + timedelta(days=day)
    with psycopg.connect(url) as connection:
        seed, scale = _origin(connection)
        group = world.build(seed, scale)
        random = np.random.default_rng([seed, 3, day])
        hits = {"day": _hour(at, 8), "pick": int(random.integers(0, 97))}
        changed = 0
        with psycopg.ClientCursor(connection) as cursor:
            for statement in MUTATE.read_text().split(";\n"):
                cursor.execute(statement.encode(), hits)
                changed += max(cursor.rowcount, 0)
        rows = {"changed": changed}
        ids, stock_before = Ids(_last_ids(connection)), stock.OnHand(group)
        stock_before.load(
            connection.execute(
                "select location_id, product_id, quantity, reserved_quantity from stock_quant"
            ).fetchall()
        )
        for frames in block(group, random, ids, stock_before, max(10, round(20 * scale)), at - BACKLOG, at):
            _copy_all(connection, {name: _entered(frame, at) for name, frame in frames.items()}, rows)
        # Odoo rewrites quants in place; here they are written anew, which a reader sees as deletes and inserts.
        connection.execute("delete from stock_quant")
        _copy_all(connection, {"stock_quant": stock_before.frame(ids, np.datetime64(at, "us"))}, rows)
    return rows


def _origin(connection: Connection) -> tuple[int, float]:
    """Seed and scale that a database was generated with."""
    row = connection.execute("select obj_description(to_regclass('res_company'), 'pg_class')").fetchone()
    found = re.fullmatch(r"generated: seed=(\d+) scale=([\d.]+)", str(row[0])) if row else None
    if found is None:
        raise BadInput(
            "this database was not made by pipelines.odoo.generator.generate; only such a one can be mutated"
        )
    return int(found[1]), float(found[2])


def _hour(day: date, hour: int) -> datetime:
    """A moment as Odoo keeps it: UTC, without a zone."""
    return datetime.combine(day, time(hour))


def _entered(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    """The same rows as if someone had typed them in on that day."""
    noon = pl.lit(_hour(day, 12))
    return frame.with_columns(noon.alias(name) for name in ("create_date", "write_date") if name in frame.columns)


def _last_ids(connection: Connection) -> dict[str, int]:
    names = [name for name, table in contract().tables.items() if table.key == ("id",)]
    query = sql.SQL(" union all ").join(
        sql.SQL("select {}, coalesce(max(id), 0) from {}").format(sql.Literal(name), sql.Identifier(name))
        for name in names
    )
    return {str(name): int(str(last)) for name, last in connection.execute(query).fetchall()}


def block(
    group: World, random: np.random.Generator, ids: Ids, on_hand: stock.OnHand, count: int, first: date, last: date
) -> Iterator[Frames]:
    """One block of business between two days: purchases, sales, the pipeline, and a count that sets the stock right."""
    yield from _trade(group, PURCHASES, random, ids, on_hand, max(1, int(count * PURCHASES_PER_SALE)), first, last)
    yield from _trade(group, SALES, random, ids, on_hand, count, first, last)
    yield stock.recount(group, random, ids, on_hand, np.datetime64(first, "us"), all_products=first == BOOKS_OPEN)
    yield funnel(group, random, ids, max(1, count // 4), first, last)


def _trade(
    group: World,
    side: Side,
    random: np.random.Generator,
    ids: Ids,
    on_hand: stock.OnHand,
    count: int,
    first: date,
    last: date,
) -> Iterator[Frames]:
    drawn = orders.draw(group, side, random, ids, count, first, last)
    billed = invoices.draw(group, drawn, random, last)
    invoiced = np.zeros(count, np.bool_)
    invoiced[billed.order[billed.posted]] = True
    moved = drawn.ordered + random.integers(3600, 10 * 86_400, count).astype("timedelta64[s]")
    done = drawn.confirmed & (random.random(count) < 0.88) & (moved <= np.datetime64(last) + np.timedelta64(1, "D"))
    yield orders.write(group, drawn, random, invoiced, done)
    yield stock.transfers(group, drawn, random, ids, moved, done, on_hand)
    yield Books(billed, ids).write()


def _blocks(scale: float) -> list[int]:
    """Sales orders of each block."""
    total = max(1, round(ORDERS_PER_BLOCK * scale))
    full, rest = divmod(total, ORDERS_PER_BLOCK)
    return [ORDERS_PER_BLOCK] * full + ([rest] if rest else [])


def _copy_all(connection: Connection, frames: Frames, rows: dict[str, int]) -> None:
    for name, frame in frames.items():
        rows[name] = rows.get(name, 0) + copy(connection, name, frame)
