"""What the commands about caps, pools and prices share: the desk, numbers that a person types, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from controlroom.output import length
from controlroom.session import session
from ops.limits import CapRow, Limits, PriceRow


@dataclass(frozen=True)
class Desk:
    """The limits, and whose they are by the settings."""

    of: Limits
    org: str
    project: str

    def scope(self, whole_org: bool) -> tuple[str, str | None]:
        return self.org, None if whole_org else self.project


@contextmanager
def desk() -> Iterator[Desk]:
    """The desk for org and project of the settings; the owner makes them where they are missing."""
    with session() as opened:
        opened.project_id()
        yield Desk(Limits(opened.connection), opened.settings.org, opened.settings.project)


def plain(value: Decimal, digits: int = 3) -> str:
    """``1,234.5``: rounded, without zeros at its end."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cap_line(cap: CapRow) -> Mapping[str, object]:
    """A cap for a person: its share, when it begins anew, when it is used up if it goes on so."""
    now = datetime.now(UTC)
    used_up = "" if cap.used_up_at is None else "now" if cap.used_up_at <= now else f"in {length(cap.used_up_at - now)}"
    return {
        "cap": cap.key,
        "unit": cap.unit,
        "used": plain(cap.used),
        "of": plain(cap.amount),
        "share": f"{100 * cap.used / cap.amount:.0f} %" if cap.amount else "",
        "period": cap.period,
        "resets": "" if cap.resets_at is None else f"in {length(cap.resets_at - now)}",
        "used_up": used_up,
    }


def price_line(price: PriceRow) -> Mapping[str, object]:
    """A price with its times in UTC."""
    until = price.valid_until
    return {
        **vars(price),
        "price": f"{price.price:f}",
        "valid_from": f"{price.valid_from.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        "valid_until": "" if until is None else f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    }
