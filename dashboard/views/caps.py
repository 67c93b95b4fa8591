"""Caps as lines: how full each is, and when it is used up if it goes on like this."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from dashboard.views.words import count, exact, size, span
from ops.cap_reads import CapStanding

# Of a period that has only just begun nothing can be told.
LEAST_SHARE = 0.02
TIGHT = 75.0
_UNITS: Mapping[str, Callable[[Decimal], str]] = {"bytes": lambda value: size(int(value))}


@dataclass(frozen=True)
class Forecast:
    """If what is used goes on growing as since the period began.

    Attributes:
        at: when it is used up; None where the period ends before.
        by_end: what will be used at the period's end, whatever the limit.
    """

    at: datetime | None
    by_end: Decimal


@dataclass(frozen=True)
class CapLine:
    """``share`` is percent that is used, ``soon`` what the forecast adds to it; both at most to the end of the gauge."""

    key: str
    where: str
    unit: str
    used: str
    amount: str
    window: str
    share: float
    soon: float
    percent: str
    state: str
    tone: str
    forecast: str
    exact: str


def forecast(cap: CapStanding) -> Forecast | None:
    """A straight line from the period's beginning through what is used now; None where there is nothing to draw it by."""
    if cap.began_at is None or cap.ends_at is None or not cap.used:
        return None
    passed, whole = (cap.asked_at - cap.began_at).total_seconds(), (cap.ends_at - cap.began_at).total_seconds()
    if passed < LEAST_SHARE * whole:
        return None
    pace = cap.used / Decimal(str(passed))
    by_end = cap.used + pace * Decimal(str(whole - passed))
    if by_end <= cap.amount:
        return Forecast(None, by_end)
    left = max(cap.amount - cap.used, Decimal(0))
    return Forecast(cap.asked_at + timedelta(seconds=float(left / pace)), by_end)


def cap_lines(caps: Sequence[CapStanding]) -> list[CapLine]:
    """Those that hold something up first, then those that soon will."""
    lines = [_line(each) for each in caps]
    return sorted(lines, key=lambda line: {"bad": 0, "waits": 1}.get(line.tone, 2))


def _line(cap: CapStanding) -> CapLine:
    told = forecast(cap)
    share = float(cap.used / cap.amount * 100) if cap.amount else 100.0
    by_end = float(told.by_end / cap.amount * 100) if told and cap.amount else share
    state, tone = _state(cap, share, told)
    return CapLine(
        cap.key,
        cap_where(cap),
        cap.unit,
        amount_words(cap.used, cap.unit),
        amount_words(cap.amount, cap.unit),
        _window(cap),
        round(min(share, 100.0), 1),
        round(max(min(by_end, 100.0) - min(share, 100.0), 0.0), 1),
        f"{share:.0f} %",
        state,
        tone,
        _said(cap, told),
        exact(told.at, seconds=False) if told and told.at else "",
    )


def cap_where(cap: CapStanding) -> str:
    place = f"{cap.org}/{cap.project}" if cap.project else f"{cap.org} (whole org)"
    return f"{place}, {cap.pipeline}" if cap.pipeline else place


def _state(cap: CapStanding, share: float, told: Forecast | None) -> tuple[str, str]:
    if cap.period == "concurrent":
        # What is used is given back: full is what it is for, and concerns somebody where a run waits.
        if not cap.full:
            return "ample", "good"
        return ("full, runs wait", "waits") if cap.waits else ("full", "quiet")
    if cap.full:
        return "used up", "bad"
    if told and told.at:
        return "will be used up", "waits"
    return ("tight", "waits") if share >= TIGHT else ("ample", "good")


def _window(cap: CapStanding) -> str:
    if cap.ends_at is None:
        return "at the same time"
    return f"a {cap.period}; anew in {span(cap.ends_at - cap.asked_at)}"


def _said(cap: CapStanding, told: Forecast | None) -> str:
    if cap.full:
        if cap.ends_at is None:
            return "free when a run ends"
        return f"free in {span(cap.ends_at - cap.asked_at)}"
    if cap.ends_at is None:
        return "no forecast: what is used is given back"
    if told is None:
        return "nothing was used in this period" if not cap.used else "too early to say"
    if told.at is None:
        return f"lasts; about {amount_words(told.by_end, cap.unit)} by its end"
    return f"used up in {span(told.at - cap.asked_at)}"


def amount_words(value: Decimal, unit: str) -> str:
    """``1.4 MB``, ``12 runs``, ``1,204.5 rows``."""
    if unit in _UNITS:
        return _UNITS[unit](value)
    whole = (
        value.quantize(Decimal(1))
        if value >= 100 or value == value.to_integral_value()
        else value.quantize(Decimal("0.1"))
    )
    if unit == "runs" and whole == whole.to_integral_value():
        return count(int(whole), "run")
    return f"{whole:,f} {unit.replace('_', ' ')}"


def held_words(cap: CapStanding) -> str:
    """What the runs listed below a cap are to it."""
    if cap.unit == "runs":
        return f"{cap.key}: these wait for it"
    return f"{cap.key}: these ended because of it"


def holding(caps: Sequence[CapStanding]) -> list[CapStanding]:
    """Those that hold runs up or have ended some: not those that are full and nothing waits for."""
    return [cap for cap in caps if cap.full and (cap.unit != "runs" or cap.waits)]
