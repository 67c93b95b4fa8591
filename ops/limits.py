"""Limits and what is measured against them: caps, pools, prices, what a run used, and what a queued one waits for.

Like :mod:`ops.rpc`, only SQL decides; the SQL is in ``ops/queries/limits.sql``. Every method that changes something may raise
NotFound for what does not exist or is not the caller's to know, NotAllowed, Conflict and BadInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import cast
from uuid import UUID

from ops.calls import Calls
from ops.errors import BadInput
from ops.model import RunId

# Of a number that a person typed, on either side of the point: one of a billion digits would be written out somewhere.
MOST_DIGITS = 30


@dataclass(frozen=True)
class CapRow:
    """A cap and what is used of it now.

    Attributes:
        project, pipeline: None: every one of the scope.
        resets_at: when the period ends; None for a concurrent cap.
        used_up_at: when it is used up if it goes on as since the period began; None where that is not before ``resets_at``.
    """

    key: str
    org: str
    project: str | None
    pipeline: str | None
    unit: str
    period: str
    amount: Decimal
    used: Decimal
    resets_at: datetime | None
    used_up_at: datetime | None


@dataclass(frozen=True)
class PoolRow:
    """A pool; ``used`` and ``runs`` are of the runs that the caller may see."""

    name: str
    org: str
    project: str | None
    slots: int
    used: int
    runs: Sequence[UUID]


@dataclass(frozen=True)
class PriceRow:
    """What a unit costs, or did, from ``valid_from`` until ``valid_until``; None: until another is set."""

    org: str
    unit: str
    price: Decimal
    currency: str
    valid_from: datetime
    created_by: str | None
    valid_until: datetime | None


@dataclass(frozen=True)
class UsageRow:
    """What a phase used, all its tries together; ``cost`` is None where the org had no prices."""

    phase: str
    tries: int
    seconds: Decimal
    cpu_seconds: Decimal
    peak_memory_bytes: int
    read_bytes: int
    written_bytes: int
    cost: Decimal | None
    currency: str | None


@dataclass(frozen=True)
class Waiting:
    """What a queued run waits for.

    Attributes:
        reason: backoff, nobody, capability, cap, pool or queue.
        said: the same in words.
        until: when it is over at the latest, where that is known.
    """

    reason: str
    said: str
    until: datetime | None
    data: Mapping[str, object]


class Limits(Calls):
    """What people ask and do, as whoever the connection's role and claims say."""

    file = "limits"

    def caps(self) -> list[CapRow]:
        return [CapRow(**row) for row in self._rows("caps")]

    def set_cap(
        self,
        org: str,
        project: str | None,
        key: str,
        unit: str,
        amount: Decimal,
        period: str,
        pipeline: str | None = None,
    ) -> UUID:
        """Makes a cap, or changes its amount; of a known one unit, period and scope stay."""
        return cast(
            UUID,
            self._value(
                "set_cap", org=org, project=project, key=key, unit=unit, amount=amount, period=period, pipeline=pipeline
            ),
        )

    def remove_cap(self, org: str, key: str) -> None:
        self._do("remove_cap", org=org, key=key)

    def pools(self) -> list[PoolRow]:
        return [PoolRow(**row) for row in self._rows("pools")]

    def set_pool(self, org: str, project: str | None, name: str, slots: int) -> UUID:
        """Makes a pool or changes its slots; what is in use stays in use."""
        return cast(UUID, self._value("set_pool", org=org, project=project, name=name, slots=slots))

    def remove_pool(self, org: str, project: str | None, name: str) -> None:
        self._do("remove_pool", org=org, project=project, name=name)

    def prices(self) -> list[PriceRow]:
        return [PriceRow(**row) for row in self._rows("prices")]

    def set_price(self, org: str, unit: str, price: Decimal, currency: str, valid_from: datetime | None = None) -> UUID:
        """From now on, or from ``valid_from`` on; what was used before keeps its price."""
        return cast(
            UUID,
            self._value("set_price", org=org, unit=unit, price=price, currency=currency, valid_from=valid_from),
        )

    def usage(self, run_id: RunId) -> list[UsageRow]:
        """By phase, in the order in which they were heard of; phases that used nothing yet are left out."""
        return [UsageRow(**row) for row in self._rows("usage", run_id=run_id)]

    def why_waiting(self, run_id: RunId) -> Waiting | None:
        """None for a run that is not queued."""
        for row in self._rows("why_waiting", run_id=run_id):
            return Waiting(**row)
        return None


def decimal_of(text: str, what: str) -> Decimal:
    """A number that a person typed, never by way of a float. Raises BadInput where ``text`` is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
        raise BadInput(f"{what} is {text!r}; write a number such as 12.5")
    return value
