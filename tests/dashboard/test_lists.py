"""Filters and previews of a list of runs, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from dashboard.views.bulk import cancel_preview, retry_preview
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
    )
    retry = retry_preview(RUNS, MINE)
    assert [row.status for row in retry.rows] == [RunStatus.FAILED, RunStatus.CANCELED]
    assert retry.lines == (
        "2 runs are run again, on the same definition and inputs.",
        "3 runs have not ended and are left alone.",
        "1 run succeeded and is left alone.",
    )
    assert cancel_preview([], MINE).lines == ()
    seen = [replace(MINE[0], roles={RUN.env: "viewer"})]
    for preview in (cancel_preview(RUNS, seen), retry_preview(RUNS, seen)):
        assert (preview.rows, preview.lines) == ((), ("6 runs are left alone: that needs the role operator there.",))
