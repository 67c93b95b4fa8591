"""Transfers of one block: pickings, moves and what they leave in each location."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.orders import DAY, Frames, Orders, where_time
from pipelines.odoo.demo.tables import Ids, money, where
from pipelines.odoo.demo.world import Bools, Ints, Times, World


class OnHand:
    """Quantities of done moves by location and product: what stock_quant must say in the end."""

    def __init__(self, world: World) -> None:
        self.locations = 5 + 3 * len(w.COMPANY)
        self.quantity: Ints = np.zeros((self.locations, world.products + 1), np.int64)
        self.reserved: Ints = np.zeros_like(self.quantity)

    def move(self, product: Ints, quantity: Ints, source: Ints, target: Ints) -> None:
        """Takes ``quantity`` (product's own unit) from one location to the other."""
        np.add.at(self.quantity, (target, product), quantity)
        np.subtract.at(self.quantity, (source, product), quantity)

    def load(self, quants: Iterable[tuple[object, ...]]) -> None:
        """Takes over rows of (location, product, quantity, reserved)."""
        for location, product, quantity, reserved in quants:
            at = int(str(location)), int(str(product))
            self.quantity[at], self.reserved[at] = int(float(str(quantity))), int(float(str(reserved)))

    def frame(self, ids: Ids, at: np.datetime64) -> pl.DataFrame:
        """stock_quant as Odoo keeps it: none for vendors and views."""
        location, product = np.nonzero((self.quantity != 0) | (self.reserved != 0))
        keep = location != w.VENDORS
        location, product = location[keep], product[keep]
        company = (location - 5) // 3 + 1
        return pl.DataFrame(
            {
                "id": ids.take("stock_quant", len(location)),
                "product_id": product,
                "location_id": location,
                "company_id": where(company, location >= 5),
                "quantity": money(self.quantity[location, product] * 100),
                "reserved_quantity": money(self.reserved[location, product] * 100),
            }
        ).with_columns(in_date=pl.lit(at), create_date=pl.lit(at), write_date=pl.lit(at))


def transfers(
    world: World, orders: Orders, random: np.random.Generator, ids: Ids, moved: Times, done: Bools, stock: OnHand
) -> Frames:
    """One picking for each confirmed order with goods, one move and one move line for each line of goods."""
    goods = world.storable[orders.product - 1] & orders.confirmed[orders.line]
    with_goods = np.zeros(len(orders.ids), np.bool_)
    with_goods[orders.line[goods]] = True
    order = np.nonzero(with_goods)[0]
    picking = np.zeros(len(orders.ids), np.int64)
    picking[order] = ids.take("stock_picking", len(order))
    state = np.where(done, "done", np.where(random.random(len(done)) < 0.7, "assigned", "cancel"))
    own = w.stock_location(orders.company)
    source, target = (own, np.full_like(own, w.CUSTOMERS)) if orders.side.sale else (np.full_like(own, w.VENDORS), own)
    kind = orders.company * 2 - (0 if orders.side.sale else 1)
    mark = "OUT" if orders.side.sale else "IN"
    origin = pl.format(orders.side.prefix + "{}", pl.col("order").cast(pl.String).str.zfill(7))
    pickings = (
        pl.DataFrame(
            {
                "id": picking[order],
                "order": orders.ids[order],
                "state": state[order],
                "company_id": orders.company[order],
                "partner_id": orders.partner[order],
                "picking_type_id": kind[order],
                "location_id": source[order],
                "location_dest_id": target[order],
                "scheduled_date": orders.ordered[order] + 3 * DAY,
                "date_done": where_time(moved[order], done[order]),
                "user_id": random.integers(1, 9, len(order)),
                "create_date": orders.ordered[order],
                "write_date": np.where(done, moved, orders.ordered)[order],
            }
        )
        .with_columns(
            name=pl.format("WH{}/{}/{}", pl.col("company_id"), pl.lit(mark), pl.col("id").cast(pl.String).str.zfill(6)),
            origin=origin,
            move_type=pl.lit("direct"),
            priority=pl.lit("0"),
            sale_id=pl.col("order") if orders.side.sale else pl.lit(None, pl.Int64),
        )
        .drop("order")
    )
    line = orders.line[goods]
    moves = _Moves(
        product=orders.product[goods],
        unit=orders.unit[goods],
        quantity=orders.quantity[goods],
        state=state[line],
        company=orders.company[line],
        source=source[line],
        target=target[line],
        at=np.where(done, moved, orders.ordered + 3 * DAY)[line],
        written=np.where(done, moved, orders.ordered)[line],
    )
    frames = moves.write(world, ids, stock)
    order_line = "sale_line_id" if orders.side.sale else "purchase_line_id"
    more = {
        "picking_id": pl.Series(picking[line]),
        "picking_type_id": pl.Series(kind[line]),
        order_line: pl.Series(orders.line_ids[goods]),
        "partner_id": pl.Series(orders.partner[line]),
    }
    placed = where(picking[line], state[line] != "cancel").drop_nulls()
    frames["stock_move"] = frames["stock_move"].with_columns(**more)
    frames["stock_move_line"] = frames["stock_move_line"].with_columns(picking_id=placed)
    return {"stock_picking": pickings, **frames}


def recount(
    world: World, random: np.random.Generator, ids: Ids, stock: OnHand, at: np.datetime64, all_products: bool
) -> Frames:
    """An inventory count: everything is brought to at least zero and a little more, or only what is short of zero."""
    own = w.stock_location(w.COMPANY)
    missing = np.maximum(-stock.quantity[own][:, 1:], 0)
    company, product = np.nonzero(np.broadcast_to(world.storable, missing.shape) if all_products else missing > 0)
    count = len(product)
    moves = _Moves(
        product=product + 1,
        unit=np.full(count, w.UNIT),
        quantity=missing[company, product] + random.integers(1, 40, count),
        state=np.full(count, "done"),
        company=company + 1,
        source=np.full(count, w.LOSSES),
        target=own[company],
        at=np.full(count, at),
        written=np.full(count, at),
        inventory=True,
    )
    return moves.write(world, ids, stock)


class _Moves:
    """Stock moves as arrays; ``quantity`` in the move's own unit, which may be dozens."""

    def __init__(
        self,
        product: Ints,
        unit: Ints,
        quantity: Ints,
        state: np.ndarray[tuple[int], np.dtype[np.str_]],
        company: Ints,
        source: Ints,
        target: Ints,
        at: Times,
        written: Times,
        inventory: bool = False,
    ) -> None:
        self.product, self.unit, self.quantity, self.state = product, unit, quantity, state
        self.company, self.source, self.target, self.at, self.written = company, source, target, at, written
        self.inventory = inventory

    def write(self, world: World, ids: Ids, stock: OnHand) -> Frames:
        pieces = self.quantity * np.where(self.unit == w.DOZEN, 12, 1)
        done, placed = self.state == "done", self.state != "cancel"
        stock.move(self.product[done], pieces[done], self.source[done], self.target[done])
        reserved = (self.state == "assigned") & (self.source >= 5)
        np.add.at(stock.reserved, (self.source[reserved], self.product[reserved]), pieces[reserved])
        move_ids = ids.take("stock_move", len(pieces))
        common = pl.DataFrame(
            {
                "company_id": self.company,
                "product_id": self.product,
                "location_id": self.source,
                "location_dest_id": self.target,
                "state": self.state,
                "date": self.at,
                "create_date": self.written,
                "write_date": self.written,
            }
        )
        reached = np.where(done | (self.state == "assigned"), self.quantity, 0)
        moves = common.with_columns(
            id=pl.Series(move_ids),
            product_uom=pl.Series(self.unit),
            product_qty=money(pieces * 100),
            product_uom_qty=money(self.quantity * 100),
            quantity=money(reached * 100),
            value=money(np.where(done, pieces * world.cost[self.product - 1], 0)),
            warehouse_id="company_id",
            procure_method=pl.lit("make_to_stock"),
            is_inventory=self.inventory,
            is_in=pl.Series(self.target >= 5),
            is_out=pl.Series(self.source >= 5),
            reference=pl.lit("Inventory count") if self.inventory else pl.format("MV/{}", pl.Series(move_ids)),
        )
        lines = common.with_columns(
            move_id=pl.Series(move_ids),
            product_uom_id=pl.Series(self.unit),
            quantity=money(reached * 100),
            quantity_product_uom=money(np.where(reached > 0, pieces, 0) * 100),
        ).filter(pl.Series(placed))
        lines = lines.with_columns(id=pl.Series(ids.take("stock_move_line", lines.height)))
        return {"stock_move": moves, "stock_move_line": lines}
