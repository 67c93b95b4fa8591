"""Pools, prices, changes of caps and of the routing matrix, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dashboard.views.limits import cap_change, cap_label, periods_of, pool_lines, price_lines
from dashboard.views.routing import change_lines, route_changes, table_of
from ops.alerts import RouteRow
from ops.errors import BadInput
from ops.limits import PoolRow, PriceRow, decimal_of
from tests.dashboard.test_caps_page import AT_ONCE, CAP
from tests.dashboard.test_views import NOW

POOL = PoolRow("warehouse", "acme", "books", 4, 1, (UUID(int=1),))
PRICE = PriceRow("acme", "gb_read", Decimal("0.0100"), "EUR", NOW - timedelta(days=2), None, None)
ROUTE = RouteRow(
    "Data quality", {"env": "prod"}, "@data", "@lead", (), [{"after_minutes": 30, "to": "secondary"}], "dbt", 10
)


def edited(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The table's rows as a person has left them, the first one changed; further ones are new."""
    table = table_of([ROUTE])
    row = {column: values[0] for column, values in table.items()}
    return [{**row, **changes[0]}, *({**dict.fromkeys(row), **each} for each in changes[1:])]


def test_a_change_of_a_cap_says_what_it_means_now() -> None:
    assert cap_label(CAP) == "rows_a_day: 1,000 rows a day, acme (whole org)"
    assert cap_label(AT_ONCE).startswith("rows_a_day: 2 runs at the same time")
    assert cap_change(CAP, Decimal(500)) == "400 rows used now: 100 rows would be left."
    assert "used up at once" in cap_change(CAP, Decimal(400))
    # A cap on runs of as many as there are is full, and nothing is stopped.
    assert cap_change(AT_ONCE, Decimal(2)) == "2 runs used now: 0 runs would be left."
    assert "used up at once" in cap_change(AT_ONCE, Decimal(1))
    assert ("concurrent" in periods_of("runs"), "concurrent" in periods_of("rows")) == (True, False)


def test_pools_say_who_has_their_slots_and_a_pool_without_slots_is_full() -> None:
    line, none = pool_lines([POOL, replace(POOL, project=None, slots=0, used=0, runs=())])
    assert (line.said, line.share, line.tone, line.where) == ("1 of 4 slots", 25.0, "good", "acme/books")
    assert (none.share, none.tone, none.where) == (100.0, "bad", "acme (whole org)")


def test_prices_that_hold_come_first() -> None:
    was = replace(PRICE, valid_until=NOW - timedelta(days=1))
    later = replace(PRICE, valid_from=NOW + timedelta(days=1))
    lines = price_lines([was, later, PRICE], NOW)
    assert [line.state for line in lines] == ["holds", "to come", "was"]
    assert (lines[0].price, lines[0].what, lines[0].by) == ("0.01 EUR", "a GB read", "the installation")


@pytest.mark.parametrize("text", ["", "many", "nan", "1e999999999999", "inf"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="write a number such as 12.5"):
        decimal_of(text, "the amount")


def test_only_what_was_typed_is_changed() -> None:
    assert table_of([ROUTE])["then"] == ["30 min secondary"]
    assert route_changes([ROUTE], edited({})) == {}
    changes = route_changes(
        [ROUTE],
        edited({"primary owner": "@night", "then": "15 min secondary, 1.5 min a+b", "fits": "env = dev, area=x"}),
    )
    assert changes == {
        "Data quality": {
            "primary_owner": "@night",
            "match": {"env": "dev", "area": "x"},
            "escalation": [
                {"after_minutes": 15.0, "to": "secondary"},
                {"after_minutes": 1.5, "channels": ["a", "b"]},
            ],
        }
    }
    assert change_lines([ROUTE], changes)[-1] == (
        "Data quality, then: 30 min secondary → 15 min secondary, 1.5 min a+b"
    )
    emptied = route_changes([ROUTE], edited({"then": ""}))
    assert change_lines([ROUTE], emptied) == ["Data quality, then: 30 min secondary → nothing"]


def test_two_steps_after_the_same_time_are_two_steps() -> None:
    changes = route_changes([ROUTE], edited({"then": "30 min secondary, 30 min pager"}))
    assert changes["Data quality"]["escalation"] == [
        {"after_minutes": 30.0, "to": "secondary"}, {"after_minutes": 30.0, "channels": ["pager"]},
    ]  # fmt: skip
    [line] = change_lines([ROUTE], changes)
    assert line == "Data quality, then: 30 min secondary → 30 min secondary, 30 min pager"


def test_a_fact_that_is_named_twice_is_refused_and_not_half_forgotten() -> None:
    with pytest.raises(BadInput, match="Data quality: fits is .* an alert has one env: say it once"):
        route_changes([ROUTE], edited({"fits": "env = prod, env = dev"}))


def test_a_row_keeps_its_area() -> None:
    with pytest.raises(
        BadInput, match="^Data quality became Quality: a row keeps its area, .* Write Data quality again"
    ):
        route_changes([ROUTE], edited({"area": "Quality"}))
    # What was there is in no row any more: it is not taken for a new one either.
    with pytest.raises(BadInput, match="^Data quality became Costs: "):
        route_changes([ROUTE], edited({"area": "Costs"}, {"area": "Data quality", "primary owner": "@x"}))
    with pytest.raises(BadInput, match="^Data quality stands in 2 rows$"):
        route_changes([ROUTE], edited({}, {"area": "Data quality", "order": 1, "primary owner": "@x"}))


def test_a_row_that_is_new_needs_an_area_and_an_owner() -> None:
    new = route_changes([ROUTE], edited({}, {"area": "Costs", "primary owner": "@cfo", "order": 5}))
    assert new == {"Costs": {"priority": 5, "primary_owner": "@cfo"}}
    assert change_lines([ROUTE], new)[1] == "Costs, primary owner: nothing → @cfo"
    with pytest.raises(BadInput, match=r"a row has no area; Costs: a new row needs a primary owner"):
        route_changes([ROUTE], edited({}, {"secondary": "@x"}, {"area": "Costs", "order": 1}))


@pytest.mark.parametrize(
    ("column", "typed", "said"),
    [
        ("order", 1.5, "give a whole number"),
        ("order", None, "give a whole number"),
        ("fits", "prod", "write it as env = prod"),
        ("then", "soon secondary", "write it as 30 min secondary"),
    ],
)
def test_what_is_no_route_is_told_with_its_row(column: str, typed: Any, said: str) -> None:
    with pytest.raises(BadInput, match=f"Data quality: {column} is .*{said}"):
        route_changes([ROUTE], edited({column: typed}))
