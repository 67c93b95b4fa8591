"""How the group is set up: companies, accounts, journals, taxes, warehouses, people. Few rows each, by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.names import ACCOUNTS, COMPANY_NAMES, FIRST, PEOPLE, STAGES

Rows = list[dict[str, object]]
SINCE: Final = datetime(2023, 12, 1)  # noqa: DTZ001 -- Odoo keeps UTC without a zone


def text(english: str, french: str | None = None) -> str:
    """A translated text as Odoo stores it."""
    return json.dumps({"en_US": english} | ({"fr_FR": french} if french else {}), ensure_ascii=False)


def numbered(values: Sequence[Mapping[str, object]]) -> Rows:
    return [{"id": number, **value} for number, value in enumerate(values, 1)]


def companies() -> dict[str, Rows]:
    names = ("United States dollar", "Euro", "Pound sterling", "Yen", "Philippine peso")
    currency = [
        {
            "name": code,
            "full_name": name,
            "symbol": symbol,
            "decimal_places": places,
            "position": "before",
            "rounding": Decimal(1) if places == 0 else Decimal("0.01"),
            "active": True,
        }
        for code, name, symbol, places in zip(w.CURRENCIES, names, "$€£¥₱", (2, 2, 2, 0, 2), strict=True)
    ]
    company = [
        {
            "name": name,
            "partner_id": number,
            "currency_id": int(w.COMPANY_CURRENCY[number - 1]),
            "active": True,
            "parent_id": 1 if number == 3 else None,
            "parent_path": "1/3/" if number == 3 else f"{number}/",
            "sequence": number,
            "fiscalyear_last_day": 31,
            "fiscalyear_last_month": "12",
        }
        for number, name in enumerate(COMPANY_NAMES, 1)
    ]
    country = [
        {"code": code, "name": text(english, french), "currency_id": currency_id, "phone_code": phone}
        for code, english, french, currency_id, phone in (
            ("US", "United States", "États-Unis", 1, 1),
            ("DE", "Germany", "Allemagne", 2, 49),
            ("FR", "France", None, 2, 33),
            ("GB", "United Kingdom", "Royaume-Uni", 3, 44),
            ("JP", "Japan", "Japon", 4, 81),
            ("PH", "Philippines", None, 5, 63),
        )
    ]
    return {"res_currency": numbered(currency), "res_country": numbered(country), "res_company": numbered(company)}


def accounting() -> dict[str, Rows]:
    journals: Rows = []
    for company in w.COMPANY.tolist():
        for kind, code, name, account in (
            ("sale", "INV", "Customer invoices", w.INCOME),
            ("purchase", "BILL", "Vendor bills", w.EXPENSE),
            ("bank", "BNK", "Bank", w.BANK),
            ("general", "MISC", "Miscellaneous", None),
        ):
            journals.append(
                {
                    "name": text(name),
                    "code": code,
                    "type": kind,
                    "company_id": company,
                    "default_account_id": account,
                    "sequence": 10,
                    "active": True,
                }
            )
    terms = [
        {"name": text(name, french), "sequence": 10, "active": True, "early_discount": False}
        for name, french in (
            ("Immediate", "Immédiat"),
            ("15 days", "15 jours"),
            ("30 days", "30 jours"),
            ("60 days", "60 jours"),
        )
    ]
    return {
        "account_account": _accounts(),
        "account_journal": numbered(journals),
        "account_tax": _taxes(),
        "account_payment_term": numbered(terms),
    }


def warehouses() -> dict[str, Rows]:
    warehouses: Rows = []
    types: Rows = []
    for company in w.COMPANY.tolist():
        view, code = 5 + (company - 1) * 3, f"WH{company}"
        warehouses.append(
            {
                "name": f"{COMPANY_NAMES[company - 1]} store",
                "code": code,
                "company_id": company,
                "partner_id": company,
                "view_location_id": view,
                "lot_stock_id": view + 1,
                "reception_steps": "one_step",
                "delivery_steps": "ship_only",
                "active": True,
            }
        )
        for kind, name, source, target in (
            ("incoming", "Receipts", w.VENDORS, view + 1),
            ("outgoing", "Deliveries", view + 1, w.CUSTOMERS),
        ):
            types.append(
                {
                    "name": text(name),
                    "code": kind,
                    "sequence_code": "IN" if kind == "incoming" else "OUT",
                    "company_id": company,
                    "warehouse_id": company,
                    "default_location_src_id": source,
                    "default_location_dest_id": target,
                    "reservation_method": "at_confirm",
                    "create_backorder": "ask",
                    "move_type": "direct",
                    "active": True,
                }
            )
    return {
        "uom_uom": _units(),
        "stock_location": _locations(),
        "stock_warehouse": numbered(warehouses),
        "stock_picking_type": numbered(types),
    }


def people() -> dict[str, Rows]:
    stages = [
        {"name": text(name), "sequence": number, "is_won": name == "Won", "fold": False}
        for number, name in enumerate(STAGES)
    ]
    return {
        "res_users": _users(),
        "hr_department": _departments(),
        "hr_employee": _employees(),
        "crm_stage": numbered(stages),
        "crm_team": _teams(),
        "project_project": _projects(),
    }


def _users() -> Rows:
    return numbered(
        [
            {
                "login": name.split()[0].lower() + "@example.invalid",
                "partner_id": 1,
                "company_id": 1 + number % 3,
                "active": number != 7,
                "share": False,
                "notification_type": "email",
            }
            for number, name in enumerate(PEOPLE[:8])
        ]
    )


def _departments() -> Rows:
    return numbered(
        [
            {
                "name": text(name, french),
                "company_id": company,
                "parent_id": None,
                "manager_id": None,
                "active": True,
                "parent_path": f"{number}/",
            }
            for number, (name, french, company) in enumerate(
                (("Sales", "Ventes", 1), ("Warehouse", "Entrepôt", 1), ("Finance", None, 2)), 1
            )
        ]
    )


def _employees() -> Rows:
    return numbered(
        [
            {
                "name": name,
                "company_id": 1 + number % 3,
                "user_id": number + 1 if number < 8 else None,
                "parent_id": 1 if number else None,
                "work_email": name.split()[0].lower() + "@example.invalid",
                "active": True,
                "hourly_cost": Decimal(30 + number),
            }
            for number, name in enumerate(PEOPLE)
        ]
    )


def _teams() -> Rows:
    return numbered(
        [
            {
                "name": text(name, french),
                "company_id": company,
                "user_id": number,
                "sequence": number,
                "active": True,
                "use_leads": True,
                "use_opportunities": True,
                "invoiced_target": 50000.0,
            }
            for number, (name, french, company) in enumerate(
                (("Direct sales", "Vente directe", 1), ("Partners", "Partenaires", 2), ("Online", None, None)), 1
            )
        ]
    )


def _projects() -> Rows:
    return numbered(
        [
            {
                "name": text(f"{customer} fit-out"),
                "company_id": 1 + number % 3,
                "user_id": 1 + number % 8,
                "active": True,
                "partner_id": 4 + number,
                "privacy_visibility": "employees",
                "last_update_status": "on_track",
                "date_start": date(2024, 1 + number, 1),
                "allocated_hours": 400.0,
                "allow_billable": True,
                "billing_type": "manually",
            }
            for number, customer in enumerate(FIRST[:10])
        ]
    )


def _accounts() -> Rows:
    return [
        {
            "id": number,
            "name": text(english, french),
            "account_type": kind,
            "reconcile": reconcile,
            "active": True,
            "non_trade": False,
            "code_store": json.dumps({"1": str(100000 + number * 1000), "2": f"{number:02d}00"}),
        }
        for number, english, french, kind, reconcile in ACCOUNTS
    ]


def _taxes() -> Rows:
    taxes: Rows = []
    for company in w.COMPANY.tolist():
        percent = int(w.COMPANY_TAX_PERCENT[company - 1])
        for use in ("sale", "purchase"):
            taxes.append(
                {
                    "name": text(f"{percent}%"),
                    "description": None,
                    "invoice_label": text(f"{percent}%"),
                    "company_id": company,
                    "country_id": 2 if company == 2 else 1,
                    "tax_group_id": 1,
                    "type_tax_use": use,
                    "amount_type": "percent",
                    "amount": Decimal(f"{percent}.0000"),
                    "sequence": 1,
                    "active": True,
                    "include_base_amount": False,
                }
            )
    return numbered(taxes)


def _locations() -> Rows:
    locations: Rows = [
        {
            "id": number,
            "name": name,
            "complete_name": path,
            "usage": usage,
            "location_id": parent,
            "company_id": None,
            "active": True,
            "parent_path": f"1/{number}/" if parent else "1/",
        }
        for number, name, path, usage, parent in (
            (w.PARTNERS_VIEW, "Partners", "Partners", "view", None),
            (w.VENDORS, "Vendors", "Partners/Vendors", "supplier", 1),
            (w.CUSTOMERS, "Customers", "Partners/Customers", "customer", 1),
            (w.LOSSES, "Count differences", "Count differences", "inventory", None),
        )
    ]
    for company in w.COMPANY.tolist():
        view, code = 5 + (company - 1) * 3, f"WH{company}"
        for offset, name, usage in ((0, code, "view"), (1, "Stock", "internal"), (2, "In transit", "transit")):
            locations.append(
                {
                    "id": view + offset,
                    "name": name,
                    "complete_name": code if offset == 0 else f"{code}/{name}",
                    "usage": usage,
                    "location_id": view if offset else None,
                    "company_id": company,
                    "active": True,
                    "parent_path": f"{view}/" if offset == 0 else f"{view}/{view + offset}/",
                }
            )
    return locations


def _units() -> Rows:
    return [
        {
            "id": w.UNIT,
            "name": text("Units", "Unités"),
            "relative_uom_id": None,
            "relative_factor": Decimal("1.0"),
            "factor": Decimal("1.0"),
            "active": True,
        },
        {
            "id": w.DOZEN,
            "name": text("Dozen", "Douzaine"),
            "relative_uom_id": 1,
            "relative_factor": Decimal("12.0"),
            "factor": Decimal("12.0"),
            "active": True,
        },
    ]
