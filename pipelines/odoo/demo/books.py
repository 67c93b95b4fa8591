"""Journal entries: invoices, refunds, payments, exchange differences, and the reconciliations between them.

Every entry balances to the last hundredth, in the company's currency and in its own. Drafts and cancelled entries keep
their amounts and residuals, as in Odoo: who sums without asking for ``posted`` gets them wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.entries import JOURNAL_BANK, JOURNAL_MISC, Columns, Entries, amounts, stamped
from pipelines.odoo.demo.invoices import Invoices
from pipelines.odoo.demo.orders import Frames
from pipelines.odoo.demo.tables import Ids, money, where
from pipelines.odoo.demo.world import Ints, Times


@dataclass
class Books:
    """Writes the entries of one block of invoices.

    Attributes:
        entries: what has been written so far.
        counter: id of the receivable or payable item of each invoice.
    """

    invoices: Invoices
    ids: Ids

    def __post_init__(self) -> None:
        self.entries = Entries(self.invoices, self.ids)
        self.side = self.invoices.orders.side
        self._first_move = 0

    def write(self) -> Frames:
        """All tables of the block's books."""
        bills = self.invoices
        everything = np.arange(len(bills.order))
        settled = bills.paid | bills.refunded
        full = np.zeros(len(everything), np.int64)
        full[settled] = self.ids.take("account_full_reconcile", int(settled.sum()))
        full_days = bills.settled_on[settled]
        self.entries.add("account_full_reconcile", stamped(pl.DataFrame({"id": full[settled]}), full_days))
        self.counter = self._document(everything, 1, bills.day, full)
        refunded, paying = np.nonzero(bills.refunded)[0], np.nonzero(bills.paid | bills.partly)[0]
        refund_items = self._document(refunded, -1, bills.settled_on[refunded], full)
        self._reconcile(
            refunded,
            self.counter[refunded],
            refund_items,
            bills.total_balance[refunded],
            bills.total[refunded],
            full,
            None,
        )
        payment_items = self._payments(paying, full)
        settled_balance = np.minimum(bills.payment_balance, bills.total_balance)[paying]
        self._reconcile(paying, self.counter[paying], payment_items, settled_balance, bills.payment[paying], full, None)
        moved = bills.gain[paying] != 0
        self._exchange(paying[moved], payment_items[moved], full)
        return self.entries.frames()

    def _document(self, which: Ints, sign: int, day: Times, full: Ints) -> Ints:
        """Invoices (sign 1) or their refunds (sign -1); returns the ids of their receivable or payable items."""
        bills, side = self.invoices, self.side
        move = self.ids.take("account_move", len(which))
        refund = sign < 0
        nothing = np.zeros(len(which), np.int64)
        residual = nothing if refund else bills.residual[which]
        residual_balance = nothing if refund else bills.residual_balance[which]
        signed = sign * side.sign
        columns = amounts(
            signed,
            bills.untaxed[which],
            bills.tax[which],
            bills.untaxed_balance[which],
            bills.tax_balance[which],
            residual,
            residual_balance,
        )
        columns |= {
            "invoice_date": pl.Series(day),
            "invoice_date_due": pl.Series(day if refund else bills.due[which]),
            "payment_state": pl.lit("paid") if refund else pl.Series(self._payment_state()),
            "invoice_payment_term_id": pl.Series(bills.orders.term[bills.order[which]]),
            "invoice_origin": pl.format(
                side.prefix + "{}", pl.Series(bills.orders.ids[bills.order[which]]).cast(pl.String).str.zfill(7)
            ),
            "reversed_entry_id": pl.Series(self._first_move + which) if refund else pl.lit(None, pl.Int64),
            "invoice_user_id": pl.Series(bills.order[which] % 8 + 1),
            "team_id": pl.Series(bills.order[which] % 3 + 1),
        }
        kind = side.refund_type if refund else side.invoice_type
        self.entries.move(
            which, move, day, kind, side.journal, columns, settled=None if refund else bills.settled_on[which]
        )
        if not refund:
            self._first_move = int(move[0]) if len(move) else 0
        self._product_items(which, move, day, signed, refund)
        taxed = bills.tax[which] != 0
        tax = which[taxed]
        of_tax: Columns = {
            "display_type": "tax",
            "tax_line_id": pl.Series(self._tax(bills.company[tax])),
            "tax_base_amount": money(bills.untaxed_balance[tax]),
        }
        self.entries.item(
            tax,
            move[taxed],
            day[taxed],
            side.tax_account,
            -signed * bills.tax_balance[tax],
            -signed * bills.tax[tax],
            side.journal,
            of_tax,
        )
        of_counter: Columns = {
            "display_type": "payment_term",
            "date_maturity": pl.Series(bills.due[which]),
            "amount_residual": money(signed * residual_balance),
            "amount_residual_currency": money(signed * residual),
        }
        of_counter |= self._matched(which, full)
        return self.entries.item(
            which,
            move,
            day,
            side.counter_account,
            signed * bills.total_balance[which],
            signed * bills.total[which],
            side.journal,
            of_counter,
        )

    def _product_items(self, which: Ints, move: Ints, day: Times, signed: int, refund: bool) -> None:
        bills, side, orders = self.invoices, self.side, self.invoices.orders
        at = np.full(len(bills.order), -1)
        at[which] = np.arange(len(which))
        chosen = at[bills.line_invoice] >= 0
        line, place = bills.line[chosen], at[bills.line_invoice[chosen]]
        service = np.isin(orders.unit[line], [w.UNIT]) & (orders.product[line] % 5 == 0)
        account = np.where(service, side.service_account, side.goods_account)
        balance, amount = bills.line_balance[chosen], orders.subtotal[line]
        ids = self.entries.item(
            which[place],
            move[place],
            day[place],
            account,
            -signed * balance,
            -signed * amount,
            side.journal,
            {
                "display_type": "product",
                "product_id": pl.Series(orders.product[line]),
                "product_uom_id": pl.Series(orders.unit[line]),
                "quantity": money(orders.quantity[line] * 100),
                "price_unit": money(orders.price[line]),
                "discount": money(orders.discount[line] * 100),
                "price_subtotal": money(amount),
                "price_total": money(amount + orders.tax[line]),
                "purchase_line_id": pl.lit(None, pl.Int64) if side.sale or refund else pl.Series(orders.line_ids[line]),
                "analytic_distribution": pl.when(pl.col("id") % 12 == 0).then(pl.lit('{"1": 100.0}')),
            },
        )
        taxed = orders.taxed[orders.line[line]]
        self.entries.add(
            "account_move_line_account_tax_rel",
            pl.DataFrame(
                {"account_move_line_id": ids[taxed], "account_tax_id": self._tax(bills.company[which[place]][taxed])}
            ),
        )
        if side.sale:
            self.entries.add(
                "sale_order_line_invoice_rel",
                pl.DataFrame({"invoice_line_id": ids, "order_line_id": orders.line_ids[line]}),
            )
        sections = (move % 20 == 0) & ~np.bool_(refund)
        nothing = np.zeros(int(sections.sum()), np.int64)
        # Section headings are journal items without an account or an amount.
        self.entries.item(
            which[sections],
            move[sections],
            day[sections],
            nothing,
            nothing,
            nothing,
            side.journal,
            {"display_type": "line_section", "name": pl.lit("Your order"), "account_id": pl.lit(None, pl.Int64)},
        )

    def _payments(self, which: Ints, full: Ints) -> Ints:
        """Payments with their bank entries; returns the ids of their receivable or payable items."""
        bills, sign, day = self.invoices, self.side.sign, self.invoices.settled_on[which]
        move, payment = self.ids.take("account_move", len(which)), self.ids.take("account_payment", len(which))
        balance, amount = bills.payment_balance[which], bills.payment[which]
        zero = np.zeros(len(which), np.int64)
        self.entries.move(
            which,
            move,
            day,
            "entry",
            JOURNAL_BANK,
            amounts(1, amount, zero, balance, zero, zero, zero)
            | {"origin_payment_id": pl.Series(payment), "payment_state": pl.lit("not_paid")},
        )
        self.entries.add(
            "account_payment",
            stamped(
                pl.DataFrame(
                    {
                        "id": payment,
                        "move_id": move,
                        "company_id": bills.company[which],
                        "partner_id": bills.partner[which],
                        "currency_id": bills.currency[which],
                        "journal_id": (bills.company[which] - 1) * 4 + JOURNAL_BANK,
                        "date": day,
                        "amount": money(amount),
                        "amount_company_currency_signed": money(sign * balance),
                    }
                ).with_columns(
                    name=pl.format("PAY/{}", pl.col("id").cast(pl.String).str.zfill(7)),
                    state=pl.lit("paid"),
                    is_reconciled=True,
                    is_matched=True,
                    payment_type=pl.lit("inbound" if sign > 0 else "outbound"),
                    partner_type=pl.lit("customer" if sign > 0 else "supplier"),
                    destination_account_id=self.side.counter_account,
                    outstanding_account_id=w.BANK,
                ),
                day,
            ),
        )
        paid: Columns = {"payment_id": pl.Series(payment), "display_type": "product"}
        self.entries.item(which, move, day, w.BANK, sign * balance, sign * amount, JOURNAL_BANK, paid)
        return self.entries.item(
            which,
            move,
            day,
            self.side.counter_account,
            -sign * balance,
            -sign * amount,
            JOURNAL_BANK,
            paid | self._matched(which, full),
        )

    def _exchange(self, which: Ints, payment_items: Ints, full: Ints) -> None:
        """What the rate moved between invoice and payment, so that both are settled to the last hundredth."""
        bills, day = self.invoices, self.invoices.settled_on[which]
        move, zero = self.ids.take("account_move", len(which)), np.zeros(len(which), np.int64)
        gain = bills.gain[which]
        effect = -self.side.sign * gain
        self.entries.move(
            which,
            move,
            day,
            "entry",
            JOURNAL_MISC,
            amounts(1, zero, zero, np.abs(gain), zero, zero, zero) | {"payment_state": pl.lit("not_paid")},
        )
        kind: Columns = {"display_type": "product"}
        account = np.where(effect > 0, w.EXCHANGE_GAIN, w.EXCHANGE_LOSS)
        self.entries.item(which, move, day, account, -effect, zero, JOURNAL_MISC, kind)
        item = self.entries.item(
            which, move, day, self.side.counter_account, effect, zero, JOURNAL_MISC, kind | self._matched(which, full)
        )
        other = np.where(gain > 0, self.counter[which], payment_items)
        debit, credit = np.where(effect > 0, item, other), np.where(effect > 0, other, item)
        self._reconcile_items(which, debit, credit, np.abs(gain), zero, full, move)

    def _reconcile(
        self, which: Ints, item: Ints, against: Ints, balance: Ints, amount: Ints, full: Ints, exchange: Ints | None
    ) -> None:
        debit, credit = (item, against) if self.side.sale else (against, item)
        self._reconcile_items(which, debit, credit, balance, amount, full, exchange)

    def _reconcile_items(
        self, which: Ints, debit: Ints, credit: Ints, balance: Ints, amount: Ints, full: Ints, exchange: Ints | None
    ) -> None:
        bills, day = self.invoices, self.invoices.settled_on[which]
        self.entries.add(
            "account_partial_reconcile",
            stamped(
                pl.DataFrame(
                    {
                        "id": self.ids.take("account_partial_reconcile", len(which)),
                        "debit_move_id": debit,
                        "credit_move_id": credit,
                        "full_reconcile_id": where(full[which], full[which] > 0),
                        "exchange_move_id": pl.Series([None] * len(which), dtype=pl.Int64)
                        if exchange is None
                        else pl.Series(exchange),
                        "debit_currency_id": bills.currency[which],
                        "credit_currency_id": bills.currency[which],
                        "company_id": bills.company[which],
                        "max_date": day,
                        "amount": money(balance),
                        "debit_amount_currency": money(amount),
                        "credit_amount_currency": money(amount),
                    }
                ),
                day,
            ),
        )

    def _tax(self, company: Ints) -> Ints:
        return company * 2 - (1 if self.side.sale else 0)

    def _payment_state(self) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
        bills = self.invoices
        return np.select([bills.refunded, bills.paid, bills.partly], ["reversed", "paid", "partial"], "not_paid")

    def _matched(self, which: Ints, full: Ints) -> Columns:
        number = where(full[which], full[which] > 0)
        return {
            "full_reconcile_id": number,
            "matching_number": number.cast(pl.String),
            "reconciled": number.is_not_null(),
        }
