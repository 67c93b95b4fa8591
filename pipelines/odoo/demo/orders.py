"""Orders of one block – sales or purchases – with their lines, transfers and stock moves.

Everything is columns: one array position per order, or per order line where ``line`` says which order it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.tables import Ids, money
from pipelines.odoo.demo.world import Bools, Ints, Times, World

DAY: Final = np.timedelta64(1, "D")
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Side:
    """Sales or purchases: the same business seen from its two ends.

    Attributes:
        sign: +1 where the partner owes us, -1 where we owe the partner.
    """

    sign: int
    table: str
    prefix: str
    counter_account: int
    goods_account: int
    service_account: int
    tax_account: int
    journal: int
    invoice_type: str
    refund_type: str
    invoice_prefix: str

    @property
    def sale(self) -> bool:
        return self.sign > 0


SALES: Final = Side(
    1, "sale_order", "S", w.RECEIVABLE, w.INCOME, w.INCOME_SERVICE, w.TAX_OUT, 1, "out_invoice", "out_refund", "INV"
)
PURCHASES: Final = Side(
    -1, "purchase_order", "P", w.PAYABLE, w.EXPENSE, w.EXPENSE_SERVICE, w.TAX_IN, 2, "in_invoice", "in_refund", "BILL"
)


@dataclass(frozen=True)
class Orders:
    """A block of orders as arrays; amounts in hundredths of the order's currency."""

    side: Side
    ids: Ints
    company: Ints
    partner: Ints
    currency: Ints
    ordered: Times
    confirmed: Bools
    taxed: Bools
    term: Ints
    line_ids: Ints
    line: Ints
    starts: Ints
    product: Ints
    unit: Ints
    quantity: Ints
    price: Ints
    discount: Ints
    subtotal: Ints
    tax: Ints

    def per_order(self, values: Ints) -> Ints:
        """The sum of a line value for each order."""
        return np.add.reduceat(values, self.starts)


def draw(
    world: World, side: Side, random: np.random.Generator, ids: Ids, count: int, first: date, last: date
) -> Orders:
    """Draws ``count`` orders placed from ``first`` to ``last``, both included."""
    company = random.choice(w.COMPANY, count, p=(0.55, 0.35, 0.10))
    own = w.COMPANY_CURRENCY[company - 1]
    currency = np.where(random.random(count) < 0.8, own, random.integers(1, len(w.CURRENCIES) + 1, count))
    seconds = random.integers(0, ((last - first).days + 1) * 86_400, count)
    ordered = np.datetime64(first, "us") + np.sort(seconds).astype("timedelta64[s]")
    sizes = random.integers(1, 5, count)
    line = np.repeat(np.arange(count), sizes)
    product = random.integers(0, world.products, len(line))
    unit = np.where(world.storable[product] & (random.random(len(line)) < 0.04), w.DOZEN, w.UNIT)
    step = w.CURRENCY_STEP[currency[line] - 1]
    dollars = (world.price if side.sale else world.cost)[product] * np.where(unit == w.DOZEN, 12, 1)
    rate = world.rate(np.ones(len(line), np.int64), currency[line], ordered[line])
    price = np.maximum(np.round(dollars * rate / step), 1).astype(np.int64) * step
    quantity = random.integers(1, 13 if side.sale else 25, len(line))
    discount = random.choice(np.array([0, 5, 10, 25]), len(line), p=(0.8, 0.1, 0.07, 0.03))
    subtotal = (quantity * price * (100 - discount) // (100 * step)) * step
    taxed = random.random(count) < 0.9
    percent = np.where(taxed, w.COMPANY_TAX_PERCENT[company - 1], 0)[line]
    return Orders(
        side=side,
        ids=ids.take(side.table, count),
        company=company,
        partner=random.choice(world.customers if side.sale else world.vendors, count),
        currency=currency,
        ordered=ordered,
        confirmed=random.random(count) < 0.84,
        taxed=taxed,
        term=random.integers(1, 5, count),
        line_ids=ids.take(f"{side.table}_line", len(line)),
        line=line,
        starts=np.concatenate([[0], sizes.cumsum()[:-1]]),
        product=product + 1,
        unit=unit,
        quantity=quantity,
        price=price,
        discount=discount,
        subtotal=subtotal,
        tax=(subtotal * percent // (100 * step)) * step,
    )


def write(world: World, orders: Orders, random: np.random.Generator, invoiced: Bools, done: Bools) -> Frames:
    """The order and line tables.

    Args:
        invoiced: per order, whether a posted invoice covers it.
        done: per order, whether its goods have moved.
    """
    side, count = orders.side, len(orders.ids)
    open_state = random.choice(np.array(["draft", "sent", "cancel"]), count, p=(0.5, 0.3, 0.2))
    state = np.where(orders.confirmed, "sale" if side.sale else "purchase", open_state)
    untaxed, tax = orders.per_order(orders.subtotal), orders.per_order(orders.tax)
    rate = np.round(world.rate(orders.company, orders.currency, orders.ordered), 6)
    head = pl.DataFrame(
        {
            "id": orders.ids,
            "state": state,
            "company_id": orders.company,
            "partner_id": orders.partner,
            "currency_id": orders.currency,
            "user_id": random.integers(1, 9, count),
            "payment_term_id": orders.term,
            "date_order": orders.ordered,
            "amount_untaxed": money(untaxed),
            "amount_tax": money(tax),
            "amount_total": money(untaxed + tax),
            "invoice_status": np.where(~orders.confirmed, "no", np.where(invoiced, "invoiced", "to invoice")),
            "create_date": orders.ordered - 2 * DAY,
            "write_date": orders.ordered + random.integers(0, 86_400, count).astype("timedelta64[s]"),
            "currency_rate": pl.Series(rate).cast(pl.Decimal(24, 6)),
        }
    ).with_columns(name=pl.format(side.prefix + "{}", pl.col("id").cast(pl.String).str.zfill(7)))
    lines = _lines(orders, state, invoiced, done)
    if side.sale:
        return {
            "sale_order": head.with_columns(
                partner_invoice_id="partner_id",
                partner_shipping_id="partner_id",
                warehouse_id="company_id",
                team_id=pl.col("user_id") % 3 + 1,
                delivery_status=pl.Series(np.where(done, "full", "pending")),
                commitment_date=pl.col("date_order") + pl.duration(days=5),
            ),
            "sale_order_line": lines,
            "account_tax_sale_order_line_rel": _taxes(orders),
        }
    head = head.with_columns(
        amount_total_cc=money(np.round((untaxed + tax) / rate).astype(np.int64)),
        date_approve=where_time(orders.ordered, orders.confirmed),
        date_planned=pl.col("date_order") + pl.duration(days=7),
        picking_type_id=pl.col("company_id") * 2 - 1,
        receipt_status=pl.Series(np.where(done, "full", "pending")),
    )
    return {"purchase_order": head, "purchase_order_line": lines}


def _lines(
    orders: Orders, state: np.ndarray[tuple[int], np.dtype[np.str_]], invoiced: Bools, done: Bools
) -> pl.DataFrame:
    side, line = orders.side, orders.line
    delivered = np.where(done[line], orders.quantity, 0) * 100
    billed = np.where(invoiced[line], orders.quantity, 0) * 100
    frame = pl.DataFrame(
        {
            "id": orders.line_ids,
            "order_id": orders.ids[line],
            "sequence": (np.arange(len(line)) - orders.starts[line] + 1) * 10,
            "company_id": orders.company[line],
            "product_id": orders.product,
            "product_uom_id": orders.unit,
            "price_unit": money(orders.price),
            "discount": money(orders.discount * 100),
            "price_subtotal": money(orders.subtotal),
            "price_total": money(orders.subtotal + orders.tax),
            "qty_invoiced": money(billed),
            "qty_to_invoice": money(orders.quantity * 100 - billed),
            "create_date": orders.ordered[line],
            "write_date": orders.ordered[line],
        }
    ).with_columns(name=pl.format("[TL-{}]", pl.col("product_id").cast(pl.String).str.zfill(5)))
    wanted, moved = money(orders.quantity * 100), money(delivered)
    analytic = pl.when(pl.col("id") % 10 == 0).then(pl.lit('{"1": 60.0, "2,3": 40.0}'))
    if not side.sale:
        return frame.with_columns(
            partner_id=pl.Series(orders.partner[line]),
            product_qty=wanted,
            qty_received=moved,
            analytic_distribution=analytic,
            date_planned=pl.Series(orders.ordered[line] + 7 * DAY),
        )
    return frame.with_columns(
        currency_id=pl.Series(orders.currency[line]),
        order_partner_id=pl.Series(orders.partner[line]),
        state=pl.Series(state[line]),
        product_uom_qty=wanted,
        qty_delivered=moved,
        is_downpayment=False,
        customer_lead=0.0,
        price_tax=pl.Series(orders.tax / 100),
        untaxed_amount_invoiced=money(np.where(invoiced[line], orders.subtotal, 0)),
        analytic_distribution=analytic,
        untaxed_amount_to_invoice=money(np.where(invoiced[line], 0, orders.subtotal)),
    )


def _taxes(orders: Orders) -> pl.DataFrame:
    taxed = orders.taxed[orders.line]
    tax = orders.company[orders.line] * 2 - 1
    return pl.DataFrame({"sale_order_line_id": orders.line_ids[taxed], "account_tax_id": tax[taxed]})


def where_time(values: Times, keep: Bools) -> pl.Series:
    """``values`` where ``keep``, null elsewhere."""
    return pl.Series(np.where(keep, values, np.datetime64("NaT")).astype("datetime64[us]"))
