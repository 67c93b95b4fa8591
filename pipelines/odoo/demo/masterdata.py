"""Companies, accounts, partners, products, warehouses and teams: small tables, written once."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl

from pipelines.odoo.demo import world as w
from pipelines.odoo.demo.names import CITIES, COMPANY_NAMES, FIRST, LEGAL, SECOND, SERVICES, THINGS
from pipelines.odoo.demo.setup import SINCE, Rows, accounting, companies, numbered, people, text, warehouses
from pipelines.odoo.demo.tables import money
from pipelines.odoo.demo.world import World


def frames(world: World) -> dict[str, pl.DataFrame]:
    """Every master table of that world, in an order in which nothing refers forward."""
    rows: dict[str, Rows] = {**companies(), **accounting(), **warehouses(), **people()}
    small = {name: _stamped(pl.DataFrame(table, infer_schema_length=None)) for name, table in rows.items()}
    large = {"res_currency_rate": _rates(world), "res_partner": _partners(world), **_products(world)}
    return small | {name: _stamped(frame) for name, frame in large.items()}


def _stamped(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(create_date=pl.lit(SINCE), write_date=pl.lit(SINCE))


def _rates(world: World) -> pl.DataFrame:
    roots, currencies, months = world.rates.shape
    root, currency, month = np.meshgrid(np.arange(roots), np.arange(currencies), np.arange(months), indexing="ij")
    return pl.DataFrame(
        {
            "id": np.arange(1, world.rates.size + 1),
            "currency_id": currency.ravel() + 1,
            "company_id": root.ravel() + 1,
            "name": (np.datetime64(w.BOOKS_OPEN, "M") + month.ravel()).astype("datetime64[D]"),
            "rate": pl.Series(world.rates.ravel()).round(6).cast(pl.Decimal(24, 6)),
        }
    )


def _partners(world: World) -> pl.DataFrame:
    random = np.random.default_rng([world.seed, 1])
    ids = np.concatenate([world.customers, world.vendors])
    first, second, legal = (random.integers(0, len(words), len(ids)) for words in (FIRST, SECOND, LEGAL))
    names = [
        f"{FIRST[a]} {SECOND[b]} {LEGAL[c]} {number}" for a, b, c, number in zip(first, second, legal, ids, strict=True)
    ]
    is_customer = np.isin(ids, world.customers)
    limits = np.where(is_customer, random.integers(0, 20, len(ids)) * 1000, 0)
    everyone = pl.DataFrame(
        {
            "id": [*range(1, len(w.COMPANY) + 1), *ids.tolist()],
            "name": [*COMPANY_NAMES, *names],
            "customer_rank": [0] * len(w.COMPANY) + is_customer.astype(int).tolist(),
            "supplier_rank": [0] * len(w.COMPANY) + (~is_customer).astype(int).tolist(),
            "credit_limit": [None] * len(w.COMPANY)
            + [f'{{"1": {limit}.0, "2": {limit // 2}.0}}' if limit else None for limit in limits.tolist()],
            "city": [CITIES[number] for number in random.integers(0, len(CITIES), len(ids) + len(w.COMPANY))],
            "country_id": random.integers(1, 7, len(ids) + len(w.COMPANY)),
            "lang": ["fr_FR" if draw < 0.1 else "en_US" for draw in random.random(len(ids) + len(w.COMPANY))],
        }
    )
    return everyone.with_columns(
        complete_name=pl.col("name"),
        commercial_partner_id=pl.col("id"),
        email=pl.format("office{}@example.invalid", pl.col("id")),
        type=pl.lit("contact"),
        is_company=True,
        active=True,
        partner_share=True,
        property_account_receivable_id=pl.lit(f'{{"1": {w.RECEIVABLE}, "2": {w.RECEIVABLE}}}'),
        property_account_payable_id=pl.lit(f'{{"1": {w.PAYABLE}, "2": {w.PAYABLE}}}'),
    )


def _products(world: World) -> dict[str, pl.DataFrame]:
    ids = np.arange(1, world.products + 1)
    goods = [f"{FIRST[number % len(FIRST)]} {THINGS[number % len(THINGS)]}" for number in ids.tolist()]
    services = [f"{SERVICES[number % len(SERVICES)]} {number}" for number in ids.tolist()]
    names = [
        good if storable else service
        for good, service, storable in zip(goods, services, world.storable.tolist(), strict=True)
    ]
    category = np.where(world.storable, 1 + ids % 3, 4)
    template = pl.DataFrame(
        {
            "id": ids,
            "categ_id": category,
            "list_price": money(world.price),
            "is_storable": world.storable,
            "name": [text(name, f"{name} (fr)" if number % 4 == 0 else None) for number, name in enumerate(names)],
        }
    ).with_columns(
        uom_id=w.UNIT,
        type=pl.when("is_storable").then(pl.lit("consu")).otherwise(pl.lit("service")),
        sale_ok=True,
        purchase_ok=True,
        active=True,
        tracking=pl.lit("none"),
        invoice_policy=pl.lit("order"),
        purchase_method=pl.lit("receive"),
        sequence=1,
        default_code=pl.format("TL-{}", pl.col("id").cast(pl.String).str.zfill(5)),
        weight=pl.lit(Decimal("1.50")),
        volume=pl.lit(Decimal("0.00")),
    )
    euro = np.round(world.cost * world.rates[0, 1, 0]).astype(np.int64)
    cost = [
        f'{{"1": {usd / 100:.2f}, "2": {eur / 100:.2f}, "3": {usd / 100:.2f}}}'
        for usd, eur in zip(world.cost, euro, strict=True)
    ]
    product = template.select("id", "default_code", "weight", "volume", "active", product_tmpl_id="id").with_columns(
        standard_price=pl.Series(cost), barcode=pl.format("29{}", pl.col("id").cast(pl.String).str.zfill(10))
    )
    kinds = ("Furniture", "Lighting", "Storage", "Services")
    categories: Rows = [
        {
            "name": name,
            "complete_name": name,
            "parent_path": f"{number}/",
            "property_valuation": '{"1": "real_time", "2": "periodic"}',
            "property_cost_method": '{"1": "standard"}',
            "property_account_income_categ_id": f'{{"1": {w.INCOME if number < 4 else w.INCOME_SERVICE}}}',
        }
        for number, name in enumerate(kinds, 1)
    ]
    return {
        "product_category": pl.DataFrame(numbered(categories)),
        "product_template": template,
        "product_product": product,
    }
