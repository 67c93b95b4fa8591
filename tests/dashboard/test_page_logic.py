"""What a page offers to whom, by Streamlit's own test harness: script and widgets on a real database, without a browser."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.data import source
from dashboard.sql_parts.editor import TEXT
from ops.database import AUTHENTICATED, LOCAL_OPERATOR, acting_as, connect
from ops.model import RunId, Scope
from ops.warehouse import Question, Warehouse
from tests.dashboard.answering import answered
from tests.dashboard.conftest import Served
from tests.dashboard.eventful import broken, good, half_way
from tests.dashboard.people import as_role

Draw = Callable[..., AppTest]
BROWSER = SimpleNamespace(headers={}, cookies={}, ip_address=None, timezone="UTC", locale="en", url="")
PAGES = Path(dashboard.__file__).parent / "app_pages"


@pytest.fixture
def draw(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Draw]:
    """A page by its file's name and what stands in its address."""
    for name, value in served.settings.items():
        monkeypatch.setenv(name, value)
    # The harness leaves its page behind as the process's main module, and a child process would run it.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    # The harness has no browser to ask.
    monkeypatch.setattr(streamlit, "context", BROWSER)

    def forget() -> None:
        for kept in (source.settings, source.pool, source.artifact_store, source.link_key):
            kept.cache_clear()

    def drawn(name: str, /, **address: object) -> AppTest:
        page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
        for key, value in address.items():
            page.query_params[key] = str(value)
        page.run()
        assert not page.exception
        return page

    forget()
    yield drawn
    source.pool().close()
    forget()


def disabled(page: AppTest) -> dict[str, bool]:
    """Key of a button → whether it can be pressed by nobody."""
    return {str(button.key): button.disabled for button in page.button}


@pytest.fixture(scope="module")
def runs(served: Served) -> tuple[RunId, RunId, RunId]:
    """A run that went well, one that failed, and a long one at work."""
    return good(served.operator, 0), broken(served.operator), half_way(served.operator, events=10)


def test_a_run_offers_what_its_state_and_the_viewers_role_allow(
    served: Served, runs: tuple[RunId, RunId, RunId], draw: Draw
) -> None:
    succeeded, failed, at_work = runs
    acts = ("cancel", "retry", "again", "replay", "backfill")
    offered = {run_id: disabled(draw("run", id=run_id)) for run_id in runs}
    assert [offered[succeeded][name] for name in acts] == [True, True, False, False, True]
    assert [offered[failed][name] for name in acts] == [True, False, False, False, True]
    assert [offered[at_work][name] for name in acts] == [False, True, True, True, True]
    # Only what succeeded is worth verifying.
    assert "verify" in offered[succeeded]
    assert "verify" not in offered[failed]
    with as_role(served, "viewer"):
        assert all(disabled(draw("run", id=failed))[name] for name in acts)


def test_only_a_long_run_at_work_is_drawn_in_part(runs: tuple[RunId, RunId, RunId], draw: Draw) -> None:
    succeeded, _, at_work = runs
    assert "whole" not in {toggle.key for toggle in draw("run", id=succeeded).toggle}
    assert not next(toggle for toggle in draw("run", id=at_work).toggle if toggle.key == "whole").value


def test_who_asked_a_question_may_cancel_it_from_its_runs_page_without_any_role_to_act(
    served: Served, draw: Draw
) -> None:
    with as_role(served, "viewer"):
        me = {"sub": LOCAL_OPERATOR}
        with connect(served.operator.url, autocommit=True) as owner, acting_as(owner, AUTHENTICATED, me) as asking:
            mine = Warehouse(asking).submit(Scope("default", "demo", "dev"), Question("select 8 as eight"))
        theirs = Warehouse(served.operator.owner.source).submit(
            Scope("default", "demo", "dev"), Question("select 9 as nine")
        )
        assert not disabled(draw("run", id=mine))["cancel"]
        assert disabled(draw("run", id=theirs))["cancel"]
    for run_id in (mine, theirs):
        served.operator.owner.cancel_run(run_id, "over")


def test_limits_are_changed_by_admins(served: Served, draw: Draw) -> None:
    assert disabled(draw("caps")) == {"new_cap": False, "change_cap": True, "remove_cap": True}
    assert disabled(draw("caps", part="Pools")) == {"set_pool": False, "remove_pool": True}
    # Of a project, but not of its org.
    assert disabled(draw("caps", part="Prices")) == {"set_price": True}
    with as_role(served, "editor"):
        page = draw("caps")
        assert all(disabled(page).values())
        assert any("changed by the admins" in caption.value for caption in page.caption)


def test_a_pipeline_without_partitions_says_why_it_cannot_be_backfilled(
    runs: tuple[RunId, RunId, RunId], draw: Draw
) -> None:
    page = draw("pipeline", project="default/demo", name="sales")
    button = next(each for each in page.button if each.key == "backfill")
    assert button.disabled
    assert "names no partition" in button.help


def test_the_page_of_sql_holds_what_its_address_names_and_says_what_it_came_to(
    served: Served, runs: tuple[RunId, RunId, RunId], draw: Draw
) -> None:
    fresh = draw("sql")
    assert fresh.session_state[TEXT].startswith("select *\nfrom gold.")
    warehouse = Warehouse(served.operator.owner.source)
    run_id = warehouse.submit(Scope("default", "demo", "dev"), Question("select 7 as seven"))
    waiting = draw("sql", run=run_id)
    assert waiting.session_state[TEXT] == "select 7 as seven"
    assert "cancel_question" in disabled(waiting)
    answered(served.operator, served.home, pl.DataFrame({"seven": [7]}))
    ended = draw("sql", run=run_id)
    assert "save_answer" in disabled(ended)
    assert "cancel_question" not in disabled(ended)
    assert any(caption.value == "One row." for caption in ended.caption)
