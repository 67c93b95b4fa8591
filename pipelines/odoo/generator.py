"""Odoo-shaped data in any Postgres: the same (seed, scale) gives the same rows, byte for byte.

An invented trading group with three companies (one a branch), five currencies and two years of business: quotations
become deliveries and invoices, purchases become receipts and bills, and those are paid, partly paid, refunded or left
open. Business comes in blocks of at most 4,000 sales orders, drawn from (seed, block): memory is bounded by one block
whatever the scale. Scale 1 has about 30,000 journal items; scale 330 has ten million.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

import numpy as np
import psycopg
from psycopg import sql

from pipelines.odoo.demo import invoices, masterdata, orders, stock, world
from pipelines.odoo.demo.books import Books
from pipelines.odoo.demo.funnel import funnel
from pipelines.odoo.demo.orders import PURCHASES, SALES, Frames, Side
from pipelines.odoo.demo.tables import Connection, Ids, add_keys, copy, create
from pipelines.odoo.demo.world import BOOKS_END, BOOKS_OPEN, ORDERS_PER_BLOCK, World

PURCHASES_PER_SALE: Final = 0.35
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


def block(
    group: World, random: np.random.Generator, ids: Ids, on_hand: stock.OnHand, count: int, first: date, last: date
) -> Iterator[Frames]:
    """One block of business between two days: purchases, sales, the pipeline, and a count that sets the stock right."""
    yield from _trade(group, PURCHASES, random, ids, on_hand, max(1, int(count * PURCHASES_PER_SALE)), first, last)
    yield from _trade(group, SALES, random, ids, on_hand, count, first, last)
    yield stock.recount(group, random, ids, on_hand, np.datetime64(first, "us"))
    yield funnel(group, random, ids, max(1, count // 4), first, last)


def _trade(
    group: World, side: Side, random: np.random.Generator, ids: Ids, on_hand: stock.OnHand, count: int, first: date, last: date
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
