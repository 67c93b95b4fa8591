"""Filters and previews of a list of runs, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from dashboard.views.bulk import Held, cancel_preview, retry_preview, why_not
from dashboard.views.filters import Chosen, address_of, position, with_zone
from ops.access_reads import MyProject
from ops.errors import BadInput
from ops.model import RunId, RunStatus, Trigger
from ops.run_filter import RunFilter
from tests.dashboard.test_views import NOW, RUN

MINE = [MyProject(RUN.org, RUN.project, UUID(int=1), NOW, {RUN.env: "operator"})]
RUNS = [replace(RUN, run_id=RunId(UUID(int=number)), status=status) for number, status in enumerate(RunStatus)]


def test_widgets_that_say_nothing_filter_nothing() -> None:
    assert Chosen().wanted(NOW) == RunFilter()
    assert not Chosen().narrow


def test_each_widget_has_its_part_in_the_filter() -> None:
    chosen = Chosen(
        " nulls ", ["running", "failed"], "orders", "acme/books", "prod", ["api"], "ticket=OPS-17 team=a=b",
        str(UUID(int=7)), "last day",
    )  # fmt: skip
    assert chosen.narrow
    assert chosen.wanted(NOW.replace(second=30)) == RunFilter(
        org="acme", project="books", env="prod", pipeline="orders", text="nulls", executor=UUID(int=7),
        status=(RunStatus.CLAIMED, RunStatus.RUNNING, RunStatus.FAILED), trigger=(Trigger.API,),
        tags={"ticket": "OPS-17", "team": "a=b"}, since=datetime(2026, 2, 28, 12, tzinfo=UTC),
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"tags: 'x' has no value.*executor: 'me' is no id"):
        Chosen(tag="x", executor="me").wanted(NOW)


def test_a_time_that_is_typed_is_the_typists_and_goes_before_an_age() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    assert with_zone("2026-01-31", zone) == "2026-01-31T00:00:00+05:30"
    assert with_zone(" 2026-01-31 14:00 ", zone) == "2026-01-31T14:00:00+05:30"
    assert with_zone("2026-01-31T14:00:00+00:00", zone) == "2026-01-31T14:00:00+00:00"
    assert [with_zone(text, zone) for text in ("", "monday")] == ["", "monday"]
    chosen = Chosen(age="last day", since="2026-01-31T00:00:00+05:30", until="2026-02-01")
    assert chosen.wanted(NOW) == RunFilter(
        since=datetime(2026, 1, 30, 18, 30, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC)
    )
    with pytest.raises(BadInput, match="until: 'monday' is no time"):
        Chosen(until="monday").wanted(NOW)
    with pytest.raises(BadInput, match=r"until: 2026-02-01T00:00:00\+00:00 is not after since"):
        Chosen(since="2026-02-01", until="2026-02-01").wanted(NOW)


def test_a_place_in_the_list_goes_through_an_address_and_back() -> None:
    place = (NOW.replace(microsecond=123456), RunId(UUID(int=5)))
    assert position(address_of(place)) == place
    assert [position(text) for text in (None, "", "_", "2026-01-01", "yesterday_5", f"{NOW.isoformat()}_5")] == [
        None
    ] * 6


def test_a_preview_says_what_happens_to_whom_and_why_not() -> None:
    cancel = cancel_preview(RUNS, MINE)
    assert [row.status for row in cancel.rows] == [RunStatus.QUEUED, RunStatus.CLAIMED, RunStatus.RUNNING]
    assert cancel.lines == (
        "1 run waits and ends at once.",
        "2 runs are at work and stop at their next heartbeat.",
        "3 runs have ended already and stay as they are.",
        "To be canceled: orders 000000000000, orders 000000000001, orders 000000000002.",
    )
    retry = retry_preview(RUNS, MINE)
    assert [row.status for row in retry.rows] == [RunStatus.FAILED, RunStatus.CANCELED]
    assert retry.lines == (
        "2 runs are run again, on the same definition and inputs.",
        "3 runs have not ended and are left alone.",
        "1 run succeeded and is left alone.",
        "To be run again: orders 000000000004, orders 000000000005.",
    )
    assert cancel_preview([], MINE).lines == ()
    seen = [replace(MINE[0], roles={RUN.env: "viewer"})]
    for preview in (cancel_preview(RUNS, seen), retry_preview(RUNS, seen)):
        assert (preview.rows, preview.lines) == ((), ("6 runs are left alone: that needs the role operator there.",))


def test_of_many_runs_the_first_are_named_and_the_others_counted() -> None:
    many = [replace(RUNS[0], run_id=RunId(UUID(int=number))) for number in range(12)]
    *_, named = cancel_preview(many, MINE).lines
    assert named.startswith("To be canceled: orders 000000000000, orders 000000000001, ")
    assert named.endswith("orders 000000000007 and 4 more.")


def test_who_may_do_nothing_anywhere_is_told_before_a_dialog_is() -> None:
    viewer = [replace(MINE[0], roles={RUN.env: "viewer"})]
    assert why_not(RUNS, MINE) == ""
    assert why_not([], MINE) == "Tick runs first."
    nowhere = "That needs the role operator, which you have nowhere."
    assert why_not([], viewer) == why_not(RUNS, viewer) == nowhere
    # A question is canceled by who asked it, and by nobody else without a role.
    own = {RUNS[0].run_id}
    assert why_not(RUNS[:1], viewer, own) == ""
    assert [row.run_id for row in cancel_preview(RUNS, viewer, own).rows] == [RUNS[0].run_id]


def test_ticks_hold_for_the_runs_that_they_were_set_on_and_no_others() -> None:
    held = Held("filters", tuple(row.run_id for row in RUNS), None, 1)
    later = [replace(row, status=RunStatus.CANCELED) for row in RUNS]
    assert held.key(RUNS) == held.key(later)
    keys = {held.key(RUNS), held.key(RUNS[1:]), held.key(RUNS[:-1]), replace(held, number=2).key(RUNS)}
    assert len(keys) == 4
