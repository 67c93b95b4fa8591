"""Generated books are books: they balance, they settle, they repeat."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack

import psycopg
import pytest

from ops.errors import BadInput
from pipelines.odoo.generator import generate, mutate
from pipelines.odoo.silver import contract
from tests.postgres import Databases

# Each query lists what must not exist.
PROMISES = {
    "a move balances in the company's currency and in its own": """
        select move_id from account_move_line group by move_id
        having sum(balance) <> 0 or sum(debit) <> sum(credit) or sum(amount_currency) <> 0""",
    "a document's total is its receivable or payable item": """
        select m.id from account_move m join account_move_line l on l.move_id = m.id
         where m.move_type <> 'entry' and l.display_type = 'payment_term' and l.balance <> m.amount_total_signed""",
    "every item belongs to a move": """
        select l.id from account_move_line l left join account_move m on m.id = l.move_id
         where m.id is null or m.state <> l.parent_state or m.company_id <> l.company_id""",
    "a residual is the balance less what was reconciled": """
        select l.id from account_move_line l
          left join (select id, sum(amount) as settled
                       from (select debit_move_id as id, amount from account_partial_reconcile
                             union all select credit_move_id, -amount from account_partial_reconcile) r
                      group by id) p using (id)
         where l.account_id in (1, 2) and l.balance - coalesce(p.settled, 0) <> l.amount_residual""",
    "a full reconciliation leaves nothing open": """
        select full_reconcile_id from account_move_line where full_reconcile_id is not null
         group by 1 having sum(balance) <> 0 or sum(amount_residual) <> 0 or count(*) < 2""",
    "an order's amounts are the sums of its lines": """
        select o.id from sale_order o join sale_order_line l on l.order_id = o.id
         group by o.id having o.amount_untaxed <> sum(l.price_subtotal) or o.amount_total <> sum(l.price_total)""",
    "quants are the sums of done moves": """
        select location_id, product_id from (
          select location_dest_id as location_id, product_id, quantity_product_uom as quantity
            from stock_move_line where state = 'done'
          union all select location_id, product_id, -quantity_product_uom from stock_move_line where state = 'done'
          union all select location_id, product_id, -quantity from stock_quant) everything
         where location_id <> 2 group by 1, 2 having sum(quantity) <> 0""",
    "no warehouse holds less than nothing": "select id from stock_quant where quantity < 0 and location_id > 4",
    "yen have no decimals": "select id from account_move where currency_id = 4 and amount_total <> trunc(amount_total)",
}


def broken(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        found = {promise: len(connection.execute(query).fetchall()) for promise, query in PROMISES.items()}
    return {promise: count for promise, count in found.items() if count}


def content(url: str) -> dict[str, str]:
    """A digest of every table's rows."""
    with psycopg.connect(url) as connection:
        return {
            name: hashlib.sha256(
                repr(connection.execute(f"select t::text from {name} t order by 1").fetchall()).encode()
            ).hexdigest()
            for name in contract().tables
        }


def test_generated_books_are_sound(group_database: str) -> None:
    assert broken(group_database) == {}


def test_the_promises_notice_a_wrong_cent(group_database: str) -> None:
    with psycopg.connect(group_database) as connection:
        connection.execute("update account_move_line set credit = credit + 0.01, balance = balance - 0.01 where id = 1")
    assert list(broken(group_database)) == ["a move balances in the company's currency and in its own"]


def test_the_data_has_what_a_real_company_has(group_database: str) -> None:
    with psycopg.connect(group_database) as connection:
        seen = {
            row[0]
            for row in connection.execute("""
            select move_type || ' ' || state || ' ' || coalesce(payment_state, '') from account_move
            union select 'picking ' || state from stock_picking union select 'lead ' || won_status from crm_lead
            union select 'currency ' || currency_id from account_move
            union select 'company ' || company_id from account_move
            union select 'exchange' from account_partial_reconcile where exchange_move_id is not null
            union select 'section' from account_move_line where account_id is null
            union select 'dozen' from stock_move where product_qty = 12 * product_uom_qty""")
        }
    wanted = {
        f"{kind} posted {state}"
        for kind in ("out_invoice", "in_invoice")
        for state in ("paid", "partial", "not_paid", "reversed")
    }
    wanted |= {
        "out_refund posted paid",
        "in_refund posted paid",
        "out_invoice draft not_paid",
        "out_invoice cancel not_paid",
        "entry posted not_paid",
    }
    wanted |= {
        "picking done",
        "picking assigned",
        "picking cancel",
        "lead won",
        "lead lost",
        "lead pending",
        "exchange",
        "section",
        "dozen",
    }
    wanted |= {f"currency {number}" for number in range(1, 6)} | {f"company {number}" for number in range(1, 4)}
    assert wanted - seen == set()


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(databases: Databases) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(databases.clone("template0")) for _ in range(3)]
        for url, seed in zip(urls, (3, 3, 4), strict=True):
            generate(url, scale=0.01, seed=seed)
            mutate(url, 1)
        first, again, other = (content(url) for url in urls)
    assert first == again
    assert {name for name in first if first[name] != other[name]} >= {
        "account_move_line",
        "sale_order",
        "res_partner",
        "stock_move",
    }


def test_a_day_changes_deletes_and_adds_and_the_books_stay_sound(group_database: str) -> None:
    with psycopg.connect(group_database) as connection:
        before = connection.execute("select count(*), max(id), max(write_date) from sale_order").fetchone()
        late = "select count(*) from project_task where write_date::time = '08:00' and write_date < '2026-01-01'"
        behind = connection.execute(late).fetchone()
        for day in (1, 2, 3):
            rows = mutate(group_database, day)
            assert min(rows[name] for name in ("changed", "sale_order", "account_move_line", "stock_move")) > 0
        after = connection.execute(
            "select count(*) filter (where id <= %s), max(id), max(write_date) from sale_order", [before and before[1]]
        ).fetchone()
        assert before and after and after[0] < before[0] and after[1] > before[1] and after[2] > before[2]
        assert behind != connection.execute(late).fetchone(), "no row appeared behind the watermark"
    assert broken(group_database) == {}


def test_a_foreign_database_is_not_mutated(odoo_clone: str) -> None:
    with pytest.raises(BadInput, match="not made by"):
        mutate(odoo_clone, 1)


def test_generated_tables_are_those_of_the_contract(group_database: str) -> None:
    from pipelines.sources.postgres import PostgresSource

    names = list(contract().tables)
    with PostgresSource(group_database).snapshot() as snapshot:
        contract().compare(names, snapshot.columns(names))
        assert all(rows > 0 for rows in snapshot.estimated_rows(names).values())
