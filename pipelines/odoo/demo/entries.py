"""Journal entries and their items as frames: what every kind of entry has in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.invoices import Invoices
from pipelines.odoo.demo.orders import Frames
from pipelines.odoo.demo.tables import Ids, money
from pipelines.odoo.demo.world import Ints, Times

JOURNAL_BANK, JOURNAL_MISC = 3, 4
NINE = np.timedelta64(9 * 3600 * 1_000_000, "us")
Column = pl.Series | pl.Expr | str | int | bool
Columns = dict[str, Column]


@dataclass
class Entries:
    """Collects the entries of one block of invoices; ``which`` is always a position in that block."""

    invoices: Invoices
    ids: Ids

    def __post_init__(self) -> None:
        self.moves: list[pl.DataFrame] = []
        self.items: list[pl.DataFrame] = []
        self.others: dict[str, list[pl.DataFrame]] = {}
        self.side = self.invoices.orders.side

    def frames(self) -> Frames:
        """Everything collected, by table."""
        everything = self.others | {"account_move": self.moves, "account_move_line": self.items}
        return {name: pl.concat(parts, how="diagonal_relaxed") for name, parts in everything.items()}

    def add(self, table: str, frame: pl.DataFrame) -> None:
        self.others.setdefault(table, []).append(frame)

    def move(
        self,
        which: Ints,
        move: Ints,
        day: Times,
        kind: str,
        journal: int,
        columns: Columns,
        settled: Times | None = None,
    ) -> None:
        bills, prefix = (
            self.invoices,
            {JOURNAL_BANK: "BNK", JOURNAL_MISC: "MISC"}.get(journal, self.side.invoice_prefix),
        )
        if kind == self.side.refund_type:
            prefix = "R" + prefix
        touched = (
            day
            if settled is None
            else np.where(bills.paid[which] | bills.partly[which] | bills.refunded[which], settled, day)
        )
        frame = pl.DataFrame(
            {
                "id": move,
                "state": bills.state[which],
                "date": day,
                "company_id": bills.company[which],
                "currency_id": bills.currency[which],
                "partner_id": bills.partner[which],
                "journal_id": (bills.company[which] - 1) * 4 + journal,
                "invoice_currency_rate": pl.Series(bills.rate[which]).cast(pl.Decimal(24, 6)),
                "create_date": day + NINE,
                "write_date": touched + NINE,
            }
        )
        number = pl.format(prefix + "/{}/{}", pl.col("date").dt.year(), pl.col("id").cast(pl.String).str.zfill(7))
        self.moves.append(
            frame.with_columns(
                name=pl.when(pl.col("state") != "draft").then(number),
                move_type=pl.lit(kind),
                commercial_partner_id="partner_id",
                auto_post=pl.lit("no"),
                **{name: pl.lit(value) if isinstance(value, str) else value for name, value in columns.items()},
            )
        )

    def item(
        self,
        which: Ints,
        move: Ints,
        day: Times,
        account: Ints | int,
        balance: Ints,
        amount: Ints,
        journal: int,
        columns: Columns,
    ) -> Ints:
        """Journal items of the moves last written; returns their ids."""
        bills, ids = self.invoices, self.ids.take("account_move_line", len(which))
        frame = pl.DataFrame(
            {
                "id": ids,
                "move_id": move,
                "account_id": np.broadcast_to(account, len(which)),
                "company_id": bills.company[which],
                "company_currency_id": w.COMPANY_CURRENCY[bills.company[which] - 1],
                "currency_id": bills.currency[which],
                "partner_id": bills.partner[which],
                "journal_id": (bills.company[which] - 1) * 4 + journal,
                "parent_state": bills.state[which],
                "date": day,
                "balance": money(balance),
                "debit": money(np.maximum(balance, 0)),
                "credit": money(np.maximum(-balance, 0)),
                "amount_currency": money(amount),
                "create_date": day + NINE,
                "write_date": day + NINE,
            }
        ).with_columns(
            amount_residual=money(np.zeros(len(which), np.int64)),
            amount_residual_currency=money(np.zeros(len(which), np.int64)),
            reconciled=False,
            sequence=100,
        )
        more = {name: pl.lit(value) if isinstance(value, str) else value for name, value in columns.items()}
        self.items.append(frame.with_columns(**more))
        return ids


def amounts(
    sign: int,
    untaxed: Ints,
    tax: Ints,
    untaxed_balance: Ints,
    tax_balance: Ints,
    residual: Ints,
    residual_balance: Ints,
) -> Columns:
    """The amount columns of account_move; ``sign`` is that of the signed ones."""
    return {
        "amount_untaxed": money(untaxed),
        "amount_tax": money(tax),
        "amount_total": money(untaxed + tax),
        "amount_residual": money(residual),
        "amount_untaxed_signed": money(sign * untaxed_balance),
        "amount_tax_signed": money(sign * tax_balance),
        "amount_total_signed": money(sign * (untaxed_balance + tax_balance)),
        "amount_total_in_currency_signed": money(sign * (untaxed + tax)),
        "amount_residual_signed": money(sign * residual_balance),
    }


def stamped(frame: pl.DataFrame, day: Times) -> pl.DataFrame:
    at = pl.Series(day + NINE)
    return frame.with_columns(create_date=at, write_date=at)
