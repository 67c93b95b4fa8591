"""The invented group of companies whose business is generated: what every block of orders refers to.

Amounts are int64 in hundredths of a currency unit; no float ever holds money. Everything follows from (seed, scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Times = NDArray[np.datetime64]

BOOKS_OPEN: Final = date(2024, 1, 1)
BOOKS_END: Final = date(2025, 12, 31)
MONTHS: Final = 48
ORDERS_PER_BLOCK: Final = 4000

COMPANY: Final = np.array([1, 2, 3])
COMPANY_ROOT: Final = np.array([1, 2, 1])
COMPANY_CURRENCY: Final = np.array([1, 2, 1])
COMPANY_TAX_PERCENT: Final = np.array([10, 21, 10])
CURRENCIES: Final = ("USD", "EUR", "GBP", "JPY", "PHP")
# Hundredths in the smallest amount of each currency: yen have no decimals.
CURRENCY_STEP: Final = np.array([1, 1, 1, 100, 1])
PER_DOLLAR: Final = np.array([1.0, 0.92, 0.79, 150.0, 57.0])

DOZEN: Final = 2
UNIT: Final = 1

# Account ids; their codes depend on the root company.
RECEIVABLE, PAYABLE, BANK, INCOME, EXPENSE, TAX_OUT, TAX_IN, EXCHANGE_GAIN, EXCHANGE_LOSS = range(1, 10)
INCOME_SERVICE, EXPENSE_SERVICE, STOCK_ACCOUNT, EQUITY, CAPITAL_GOODS, SUSPENSE = range(10, 16)

# Location ids that belong to no company, then five a company.
PARTNERS_VIEW, VENDORS, CUSTOMERS, LOSSES = 1, 2, 3, 4


def stock_location(company: Ints) -> Ints:
    """The main stock location of each company."""
    return 5 + (company - 1) * 3 + 1


@dataclass(frozen=True)
class World:
    """Master data as arrays; an id is the position plus one unless said otherwise.

    Attributes:
        rates: units of a currency for one unit of the root company's, by root company, currency and month since
            BOOKS_OPEN; six decimals.
        price, cost: of a product, in hundredths of a dollar.
        storable: products that are kept in stock; the others are services.
        customers, vendors: partner ids.
    """

    seed: int
    scale: float
    rates: Floats
    price: Ints
    cost: Ints
    storable: Bools
    customers: Ints
    vendors: Ints

    @property
    def products(self) -> int:
        return len(self.price)

    def rate(self, company: Ints, currency: Ints, day: Times) -> Floats:
        """The rate of each document, by its company, currency and day."""
        month = (day.astype("datetime64[M]") - np.datetime64(BOOKS_OPEN, "M")).astype(np.int64)
        found: Floats = self.rates[COMPANY_ROOT[company - 1] - 1, currency - 1, np.clip(month, 0, MONTHS - 1)]
        return found


def build(seed: int, scale: float) -> World:
    """The world of that seed; a larger scale has more partners and products, and the same rates."""
    random = np.random.default_rng([seed, 0])
    steps = random.normal(0.0, 0.012, (MONTHS, len(CURRENCIES))).cumsum(axis=0)
    steps[:, 0] = 0.0
    dollar = np.round(PER_DOLLAR * np.exp(steps), 6).T
    euro = np.round(dollar / dollar[1], 6)
    products = 90 + int(30 * max(1.0, scale) ** 0.5)
    price = random.integers(300, 90_000, products) // 5 * 5
    customers = int(150 + 150 * max(1.0, scale) ** 0.75)
    vendors = 25 + int(15 * max(1.0, scale) ** 0.5)
    first = len(COMPANY) + 1
    return World(
        seed=seed,
        scale=scale,
        rates=np.stack([dollar, euro]),
        price=price,
        cost=price * random.integers(40, 75, products) // 100,
        storable=random.random(products) < 0.8,
        customers=np.arange(first, first + customers),
        vendors=np.arange(first + customers, first + customers + vendors),
    )
