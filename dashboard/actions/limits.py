"""Caps, pools and prices, in the name of the person who asks."""

from __future__ import annotations

from decimal import Decimal

from dashboard.data.source import asking
from ops.access_reads import Place
from ops.cap_reads import CapStanding
from ops.limits import Limits, PoolRow


def set_cap(place: Place, key: str, unit: str, amount: Decimal, period: str, pipeline: str | None) -> None:
    """Makes a cap, or changes what a known one allows. Raises NotAllowed, BadInput, Conflict."""
    with asking() as connection:
        Limits(connection).set_cap(place.org, place.project, key, unit, amount, period, pipeline)


def remove_cap(cap: CapStanding) -> None:
    """Ends a cap, and with it what was charged to it. Raises NotAllowed."""
    with asking() as connection:
        Limits(connection).remove_cap(cap.org, cap.key)


def set_pool(place: Place, name: str, slots: int) -> None:
    """Makes a pool or changes its slots. Raises NotAllowed, BadInput."""
    with asking() as connection:
        Limits(connection).set_pool(place.org, place.project, name, slots)


def remove_pool(pool: PoolRow) -> None:
    """Ends a pool: its name holds nobody up any more. Raises NotAllowed."""
    with asking() as connection:
        Limits(connection).remove_pool(pool.org, pool.project, pool.name)


def set_price(org: str, unit: str, price: Decimal, currency: str) -> None:
    """From now on; what was used before keeps its price. Raises NotAllowed, BadInput, Conflict."""
    with asking() as connection:
        Limits(connection).set_price(org, unit, price, currency)
