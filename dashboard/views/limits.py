"""Pools and prices as lines, and what a change to a limit would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboard.views.caps import amount_words, cap_where
from dashboard.views.words import ago, count, exact
from ops.cap_reads import CapStanding
from ops.limits import PoolRow, PriceRow

UNITS = ("runs", "rows", "bytes", "cpu_seconds", "money")
PERIODS = ("hour", "day", "week", "month")
PRICED: Mapping[str, str] = {
    "cpu_second": "a second of a core", "gb_hour": "a GB of memory for an hour", "gb_read": "a GB read",
    "gb_written": "a GB written",
}  # fmt: skip


@dataclass(frozen=True)
class PoolLine:
    name: str
    where: str
    said: str
    share: float
    tone: str
    runs: tuple[str, ...]


@dataclass(frozen=True)
class PriceLine:
    where: str
    what: str
    price: str
    since: str
    exact: str
    until: str
    by: str
    tone: str
    state: str


def periods_of(unit: str) -> tuple[str, ...]:
    """For how long a cap on a unit may count; runs also at the same time."""
    return ("concurrent", *PERIODS) if unit == "runs" else PERIODS


def cap_label(cap: CapStanding) -> str:
    """A cap as a choice."""
    return f"{cap.key}: {amount_words(cap.amount, cap.unit)} {_per(cap.period)}, {cap_where(cap)}"


def cap_change(cap: CapStanding, amount: Decimal) -> str:
    """What another limit would mean now."""
    used = f"{amount_words(cap.used, cap.unit)} used now"
    if amount < cap.used or (amount <= cap.used and cap.unit != "runs"):
        return f"{used}: that is used up at once. What is at work goes on; nothing further begins."
    return f"{used}: {amount_words(amount - cap.used, cap.unit)} would be left."


def pool_lines(rows: Sequence[PoolRow]) -> list[PoolLine]:
    return [
        PoolLine(
            row.name,
            pool_where(row),
            f"{row.used} of {count(row.slots, 'slot')}",
            min(row.used / row.slots * 100, 100.0) if row.slots else 100.0,
            "bad" if row.used >= row.slots else "good",
            tuple(map(str, row.runs)),
        )
        for row in rows
    ]


def pool_where(row: PoolRow) -> str:
    return f"{row.org}/{row.project}" if row.project else f"{row.org} (whole org)"


def price_lines(rows: Sequence[PriceRow], now: datetime) -> list[PriceLine]:
    """Those that hold first, then those to come, then those that were."""
    order = {"holds": 0, "to come": 1, "was": 2}
    return sorted((_price(row, now) for row in rows), key=lambda line: (order[line.state], line.where, line.what))


def _price(row: PriceRow, now: datetime) -> PriceLine:
    state, tone = ("to come", "waits") if row.valid_from > now else ("holds", "good")
    if row.valid_until is not None and row.valid_until <= now:
        state, tone = "was", "quiet"
    since = ago(row.valid_from, now) if row.valid_from <= now else exact(row.valid_from, seconds=False)
    until = exact(row.valid_until, seconds=False) if row.valid_until else ""
    return PriceLine(
        row.org, PRICED.get(row.unit, row.unit), f"{row.price.normalize():f} {row.currency}", since,
        exact(row.valid_from), until, row.created_by or "the installation", tone, state,
    )  # fmt: skip


def _per(period: str) -> str:
    return "at the same time" if period == "concurrent" else f"a {period}"
