"""What becomes of the confirmed orders of a block: which are invoiced, refunded, paid, when, and at which rate.

Only arrays of amounts and days; :mod:`books` turns them into journal entries. ``*_balance`` is in hundredths of the
company's currency, the rest in hundredths of the document's; all are positive, the side's sign is put on in the books.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.orders import Orders
from pipelines.odoo.demo.world import Bools, Floats, Ints, Times, World


@dataclass(frozen=True)
class Invoices:
    """One array position per invoice.

    Attributes:
        order: position of the order in its block.
        line: positions of the invoiced order lines; ``line_invoice`` says for which invoice.
        paid: settled in full by a payment; ``partly``: a part of it; ``refunded``: reversed by a refund.
        gain: what the company's currency lost (positive) or gained between invoice and payment.
    """

    orders: Orders
    order: Ints
    company: Ints
    currency: Ints
    partner: Ints
    day: Times
    due: Times
    rate: Floats
    state: np.ndarray[tuple[int], np.dtype[np.str_]]
    line: Ints
    line_invoice: Ints
    line_balance: Ints
    untaxed: Ints
    untaxed_balance: Ints
    tax: Ints
    tax_balance: Ints
    paid: Bools
    partly: Bools
    refunded: Bools
    settled_on: Times
    payment: Ints
    payment_balance: Ints

    @property
    def total(self) -> Ints:
        return self.untaxed + self.tax

    @property
    def total_balance(self) -> Ints:
        return self.untaxed_balance + self.tax_balance

    @property
    def posted(self) -> Bools:
        posted: Bools = self.state == "posted"
        return posted

    @property
    def residual(self) -> Ints:
        """What is still owed, in the document's currency."""
        return np.where(self.refunded | self.paid, 0, self.total - self.payment)

    @property
    def residual_balance(self) -> Ints:
        return np.where(self.refunded | self.paid, 0, self.total_balance - self.payment_balance)

    @property
    def gain(self) -> Ints:
        return np.where(self.paid, self.total_balance - self.payment_balance, 0)


def draw(world: World, orders: Orders, random: np.random.Generator, last: date) -> Invoices:
    """Decides which orders are invoiced by ``last``, and how those invoices are settled."""
    end = np.datetime64(last)
    day_of_order: Times = orders.ordered.astype("datetime64[D]") + random.integers(1, 21, len(orders.ids)).astype(
        "timedelta64[D]"
    )
    order = np.nonzero(orders.confirmed & (random.random(len(orders.ids)) < 0.88) & (day_of_order <= end))[0]
    count = len(order)
    position = np.full(len(orders.ids), -1)
    position[order] = np.arange(count)
    line = np.nonzero(position[orders.line] >= 0)[0]
    line_invoice = position[orders.line[line]]
    company, currency, day = orders.company[order], orders.currency[order], day_of_order[order]
    rate: Floats = np.round(world.rate(company, currency, day), 6)
    line_balance = np.round(orders.subtotal[line] / rate[line_invoice]).astype(np.int64)
    untaxed, tax = orders.per_order(orders.subtotal)[order], orders.per_order(orders.tax)[order]
    untaxed_balance = _sums(line_balance, line_invoice, count)
    tax_balance = np.round(tax / rate).astype(np.int64)
    state = random.choice(np.array(["posted", "draft", "cancel"]), count, p=(0.94, 0.04, 0.02))
    settled_on: Times = day + random.integers(2, 70, count).astype("timedelta64[D]")
    settled = (state == "posted") & (settled_on <= end) & (untaxed > 0)
    fate, share = random.random(count), random.integers(20, 80, count)
    refunded, paid = settled & (fate < 0.04), settled & (fate >= 0.04) & (fate < 0.8)
    partly = settled & (fate >= 0.8) & (fate < 0.9) & (currency == w.COMPANY_CURRENCY[company - 1])
    total = untaxed + tax
    payment = np.where(paid, total, np.where(partly, total * share // 100, 0))
    later = np.round(world.rate(company, currency, settled_on), 6)
    return Invoices(
        orders=orders,
        order=order,
        company=company,
        currency=currency,
        partner=orders.partner[order],
        day=day,
        due=day + np.array([0, 15, 30, 60], "timedelta64[D]")[orders.term[order] - 1],
        rate=rate,
        state=state,
        line=line,
        line_invoice=line_invoice,
        line_balance=line_balance,
        untaxed=untaxed,
        untaxed_balance=untaxed_balance,
        tax=tax,
        tax_balance=tax_balance,
        paid=paid,
        partly=partly & (payment > 0),
        refunded=refunded,
        settled_on=settled_on,
        payment=payment,
        payment_balance=np.round(payment / later).astype(np.int64),
    )


def _sums(values: Ints, group: Ints, groups: int) -> Ints:
    total = np.zeros(groups, np.int64)
    np.add.at(total, group, values)
    return total
