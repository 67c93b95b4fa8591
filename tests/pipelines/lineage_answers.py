"""Column lineage of reference marts, written by hand from pipelines/reference/silver_to_gold.yaml.

Silver tables are named without their layer. ``rows`` is what decides which rows there are.
"""

from __future__ import annotations

from typing import TypedDict


class Answer(TypedDict):
    columns: dict[str, set[str]]
    rows: set[str]


_DUE = {
    "AGGREGATION account_move_line.amount_residual",
    "CONDITIONAL account_move_line.date",
    "CONDITIONAL account_move_line.date_maturity",
    # as_of: the day that is aged to is the newest write_date.
    "CONDITIONAL account_move_line.write_date",
}
_AGEING: Answer = {
    "columns": {
        "company_id": {"IDENTITY account_move_line.company_id"},
        "partner_id": {"TRANSFORMATION account_move_line.partner_id"},
        "partner": {"AGGREGATION res_partner.complete_name"},
        "as_of": {"AGGREGATION account_move_line.write_date"},
        "items": set(),
        "not_due": _DUE,
        "overdue_1_30": _DUE,
        "overdue_31_60": _DUE,
        "overdue_61_90": _DUE,
        "overdue_over_90": _DUE,
        "total": {"AGGREGATION account_move_line.amount_residual"},
    },
    "rows": {
        "JOIN account_move_line.account_id",
        "JOIN account_account.id",
        "JOIN account_move_line.partner_id",
        "JOIN res_partner.id",
        "FILTER account_move_line.parent_state",
        "FILTER account_move_line.amount_residual",
        "FILTER account_account.account_type",
        "GROUP_BY account_move_line.company_id",
        "GROUP_BY account_move_line.partner_id",
    },
}

MARTS: dict[str, Answer] = {
    "revenue_by_month": {
        "columns": {
            "company_id": {"IDENTITY account_move.company_id"},
            "month": {"TRANSFORMATION account_move.date"},
            "company": {"IDENTITY res_company.name"},
            "currency": {"IDENTITY res_currency.name"},
            # Ones and noughts are counted: the type decides which, and is in none of them.
            "invoices": {"CONDITIONAL account_move.move_type"},
            "refunds": {"CONDITIONAL account_move.move_type"},
            "revenue": {"AGGREGATION account_move.amount_untaxed_signed"},
            "tax": {"AGGREGATION account_move.amount_tax_signed"},
            "total": {"AGGREGATION account_move.amount_total_signed"},
        },
        "rows": {
            "JOIN account_move.company_id",
            "JOIN res_company.id",
            "JOIN res_company.currency_id",
            "JOIN res_currency.id",
            "FILTER account_move.state",
            "FILTER account_move.move_type",
            "GROUP_BY account_move.company_id",
            "GROUP_BY account_move.date",
            "GROUP_BY res_company.name",
            "GROUP_BY res_currency.name",
        },
    },
    "general_ledger_balance": {
        "columns": {
            "company_id": {"IDENTITY account_move_line.company_id"},
            "account_id": {"IDENTITY account_move_line.account_id"},
            "month": {"TRANSFORMATION account_move_line.date"},
            "company": {"IDENTITY res_company.name"},
            "code": {"IDENTITY account_account_company.code_store"},
            "account": {"IDENTITY account_account.name"},
            "account_type": {"IDENTITY account_account.account_type"},
            "items": set(),
            "debit": {"AGGREGATION account_move_line.debit"},
            "credit": {"AGGREGATION account_move_line.credit"},
            "balance": {"AGGREGATION account_move_line.balance"},
            "closing_balance": {
                "AGGREGATION account_move_line.balance",
                "WINDOW account_move_line.company_id",
                "WINDOW account_move_line.account_id",
                "WINDOW account_move_line.date",
            },
        },
        "rows": {
            "FILTER account_move_line.parent_state",
            "FILTER account_move_line.account_id",
            "GROUP_BY account_move_line.company_id",
            "GROUP_BY account_move_line.account_id",
            "GROUP_BY account_move_line.date",
            "JOIN account_move_line.account_id",
            "JOIN account_account.id",
            "JOIN account_move_line.company_id",
            "JOIN res_company.id",
            # The account's code belongs to the root company, the first part of the path.
            "JOIN res_company.parent_path",
            "JOIN account_account_company.id",
            "JOIN account_account_company.company_id",
        },
    },
    "receivables_ageing": _AGEING,
    "payables_ageing": _AGEING,
    "stock_on_hand": {
        "columns": {
            "product_id": {"IDENTITY stock_move_line.product_id"},
            "location_id": {"IDENTITY stock_move_line.location_dest_id", "IDENTITY stock_move_line.location_id"},
            "product": {"AGGREGATION product_template.name"},
            "location": {"AGGREGATION stock_location.complete_name"},
            "usage": {"AGGREGATION stock_location.usage"},
            "company_id": {"AGGREGATION stock_location.company_id"},
            "received": {"AGGREGATION stock_move_line.quantity_product_uom"},
            "issued": {"AGGREGATION stock_move_line.quantity_product_uom"},
            "on_hand": {"AGGREGATION stock_move_line.quantity_product_uom"},
        },
        "rows": {
            "FILTER stock_move_line.state",
            "JOIN stock_move_line.location_dest_id",
            "JOIN stock_move_line.location_id",
            "JOIN stock_location.id",
            "JOIN stock_move_line.product_id",
            "JOIN product_product.id",
            "JOIN product_product.product_tmpl_id",
            "JOIN product_template.id",
            "GROUP_BY stock_move_line.product_id",
            "GROUP_BY stock_move_line.location_dest_id",
            "GROUP_BY stock_move_line.location_id",
        },
    },
}
