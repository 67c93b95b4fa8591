"""Every invented name: companies, people, things, places, accounts."""

from __future__ import annotations

from typing import Final

from pipelines.odoo.demo import world as w

COMPANY_NAMES: Final = ("Tidewater & Larch Supply", "Nordhaven Werkhandel", "Tidewater & Larch Harbour Branch")
FIRST: Final = (
    "Amber",
    "Basalt",
    "Cobalt",
    "Driftwood",
    "Ember",
    "Fernhill",
    "Granite",
    "Hollow",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Marlow",
    "Northgate",
    "Osprey",
    "Pebble",
    "Quarry",
    "Rowan",
    "Saltmarsh",
    "Thistle",
)
SECOND: Final = (
    "Works",
    "Outfitters",
    "Studio",
    "Joinery",
    "Depot",
    "Mills",
    "Clinic",
    "Kitchens",
    "Freight",
    "Gardens",
    "Academy",
    "Bakery",
    "Cycles",
    "Optics",
    "Press",
    "Robotics",
    "Sails",
)
LEGAL: Final = ("Ltd", "GmbH", "Inc", "Co-op", "SARL")
THINGS: Final = ("Bench", "Shelf", "Lamp", "Crate", "Stool", "Cabinet", "Trolley", "Ladder", "Workbench", "Locker")
SERVICES: Final = ("Installation", "Survey", "Repair visit", "Training day")
CITIES: Final = ("Port Elder", "Harrowgate Bay", "Steinfurt", "Lowmoor", "Kalinaw", "Vieux-Pont")
PEOPLE: Final = (
    "Ines Calloway",
    "Marek Dunst",
    "Tala Reyes-Finch",
    "Oskar Brandvik",
    "Priya Whitlock",
    "Jonas Ferreira",
    "Lena Abara",
    "Ruben Castell",
    "Mina Sørby",
    "Theo Lindqvist",
    "Carla Oyelaran",
    "Vik Petrosyan",
)
STAGES: Final = ("New", "Qualified", "Proposal", "Negotiation", "Won")
ACCOUNTS: Final = (
    (w.RECEIVABLE, "Trade receivables", "Créances clients", "asset_receivable", True),
    (w.PAYABLE, "Trade payables", "Dettes fournisseurs", "liability_payable", True),
    (w.BANK, "Bank", "Banque", "asset_cash", False),
    (w.INCOME, "Sales of goods", "Ventes de marchandises", "income", False),
    (w.EXPENSE, "Purchases of goods", "Achats de marchandises", "expense_direct_cost", False),
    (w.TAX_OUT, "Output tax", "Taxe collectée", "liability_current", False),
    (w.TAX_IN, "Input tax", "Taxe déductible", "asset_current", False),
    (w.EXCHANGE_GAIN, "Exchange gains", "Gains de change", "income_other", False),
    (w.EXCHANGE_LOSS, "Exchange losses", "Pertes de change", "expense_other", False),
    (w.INCOME_SERVICE, "Sales of services", "Ventes de services", "income", False),
    (w.EXPENSE_SERVICE, "Services bought", "Services achetés", "expense", False),
    (w.STOCK_ACCOUNT, "Inventory", "Stock", "asset_current", False),
    (w.EQUITY, "Share capital", "Capital", "equity", False),
    (w.CAPITAL_GOODS, "Equipment", "Équipement", "asset_fixed", False),
    (w.SUSPENSE, "Bank suspense", "Attente bancaire", "asset_current", True),
)
