"""The fleet: who works, who fell silent, who was lost; first without a page, then in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
from playwright.sync_api import expect

from dashboard.views.fleet import at_work, drain_words, executor_lines, fleet_tiles, hosts, may_drain, state_of
from ops.database import LOCAL_OPERATOR, connect
from ops.fleet_reads import FleetExecutor, FleetLease
from ops.model import RunId
from ops.tenancy import Tenancy
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.test_views import NOW

PATIENCE = timedelta(seconds=30)
HERE = FleetExecutor(
    UUID(int=1),
    "here-7",
    ("sandbox",),
    4,
    "here",
    None,
    "1.2",
    "active",
    NOW - timedelta(hours=2),
    NOW,
    None,
    NOW,
)
LEASE = FleetLease(
    HERE.executor_id, RunId(UUID(int=9)), "orders", "acme/books/dev", "bronze", NOW, NOW + timedelta(seconds=20)
)


def test_an_executor_that_says_it_works_and_is_not_heard_of_is_silent() -> None:
    late = replace(HERE, last_seen=NOW - timedelta(seconds=31))
    assert [state_of(each, PATIENCE) for each in (HERE, late, replace(late, state="lost"))] == [
        "active", "silent", "lost",
    ]  # fmt: skip


def test_slots_count_where_runs_are_taken() -> None:
    others = [
        replace(HERE, executor_id=UUID(int=number), state=state)
        for number, state in ((2, "draining"), (3, "lost"), (4, "active"))
    ]
    leases = [LEASE, LEASE, replace(LEASE, executor_id=UUID(int=2))]
    numbers = {tile.name: tile.number for tile in fleet_tiles([HERE, *others], leases, PATIENCE)}
    assert numbers == {
        "active": 2, "draining": 1, "silent": 0, "lost (last day)": 1, "slots used": 2, "slots free": 6,
    }  # fmt: skip
    here, lost = executor_lines([HERE, *others], leases, PATIENCE)
    assert [line.slots for line in here] == ["2/4", "1/4", "0/4"]
    assert [line.state for line in lost] == ["lost"]
    assert fleet_tiles([], [], PATIENCE)[0].tone == "bad"


def test_a_lease_says_how_long_it_lasts_and_when_it_is_over() -> None:
    over = replace(LEASE, expires_at=NOW - timedelta(seconds=5))
    [line], _ = executor_lines([HERE], [LEASE, over], PATIENCE)
    assert [(lease.ends, lease.tone) for lease in line.leases] == [
        ("lease for 20 s", "busy"), ("lease ended 5.0 s ago", "bad"),
    ]  # fmt: skip


def test_nodes_of_ray_are_counted() -> None:
    nodes = [
        replace(HERE, executor_id=UUID(int=number), ray_node=name) for number, name in ((2, "aa"), (3, "bb"), (4, "bb"))
    ]
    here, _ = executor_lines([HERE, *nodes], [], PATIENCE)
    assert hosts(here) == "4 executors on 1 host, 2 nodes of Ray"
    assert hosts(here[:1]) == "1 executor on 1 host"


def test_a_drain_says_what_it_would_do_before_it_is_done() -> None:
    late = replace(HERE, executor_id=UUID(int=2), last_seen=NOW - timedelta(hours=1))
    asked = replace(HERE, executor_id=UUID(int=3), state="draining", drain_asked_at=NOW)
    gone = replace(HERE, executor_id=UUID(int=4), state="lost")
    assert may_drain([HERE, late, replace(late, drain_asked_at=NOW), asked, gone], PATIENCE) == [HERE, late]
    assert at_work([HERE, late, asked, gone], PATIENCE) == {HERE.executor_id}
    assert drain_words(HERE, [LEASE, replace(LEASE, executor_id=UUID(int=2))], set()) == [
        "here-7 is given no further run, and ends.",
        "It is at orders (acme/books/dev): phases that it is in may end, what is left goes back to the queue, and no attempt "
        "is spent.",
        "No other executor takes runs: whatever is queued waits until one is started.",
    ]
    assert drain_words(HERE, [], {UUID(int=5)})[1:] == [
        "It is at no run that you may see.", "One other executor goes on taking runs.",
    ]  # fmt: skip
    assert drain_words(HERE, [], {UUID(int=5), UUID(int=6)})[2] == "2 other executors go on taking runs."


def test_an_executor_is_asked_to_drain_by_an_admin_of_every_org(watched: Watched, served: Served) -> None:
    leaving, page = uuid4(), watched.page
    served.operator.executor.register_executor(leaving, "leaving-9", slots=2, host="there", version="0")
    page.goto(f"{served.where}/fleet")
    page.get_by_text("Take an executor out of work").click()
    expect(page.get_by_role("button", name="Drain…")).to_be_disabled()
    expect(page.get_by_text("or who is an admin of every org").first).to_be_visible()
    with connect(served.operator.url, autocommit=True) as owner:
        orgs = [slug for (slug,) in owner.execute("select slug from ops.orgs").fetchall()]
        for org in orgs:
            Tenancy(owner).set_member(org, None, LOCAL_OPERATOR, "admin")
            # Who stays, so that the other may go.
            Tenancy(owner).set_member(org, None, "keeper", "admin")
        try:
            page.reload()
            page.get_by_text("Take an executor out of work").click()
            # The expander moves while it opens.
            page.wait_for_timeout(500)
            page.get_by_role("combobox", name="Executor").click()
            page.get_by_role("option", name=str(leaving)[-12:]).click()
            page.get_by_role("button", name="Drain…").click()
            asked = page.get_by_role("dialog")
            expect(asked.get_by_text("leaving-9 is given no further run, and ends.")).to_be_visible()
            asked.get_by_role("button", name="Drain leaving-9").click()
            expect(page.get_by_text("leaving-9 is asked to drain.")).to_be_visible()
            row = page.locator("tr", has_text=str(leaving)[-12:])
            expect(row.locator("> td .pill").first).to_have_text("draining")
            expect(row).to_contain_text("asked")
            assert served.operator.executor.is_draining(leaving)
        finally:
            for org in orgs:
                Tenancy(owner).remove_member(org, None, LOCAL_OPERATOR)
    assert watched.complaints == []


def test_the_page_shows_who_works_on_what_and_who_was_lost(watched: Watched, served: Served) -> None:
    gone, page = uuid4(), watched.page
    served.operator.executor.register_executor(gone, "gone-8", slots=2, host="elsewhere", version="0")
    with psycopg.connect(served.operator.url, autocommit=True) as connection:
        connection.execute("update ops.executors set state = 'lost' where id = %s", [gone])
    run_id, token = served.operator.running()
    served.operator.executor.heartbeat_run(run_id, token, "bronze")
    page.goto(f"{served.where}/fleet")
    row = page.locator("tr", has_text="tester")
    expect(row.locator("> td .pill").first).to_have_text("active")
    expect(row.locator(f"a[href='run?id={run_id}']")).to_have_text("demo")
    expect(row).to_contain_text("default/demo/dev, bronze; lease for")
    expect(page.locator("tr", has_text="gone-8").locator(".pill").first).to_have_text("lost")
    served.operator.complete(run_id, token)
    expect(row.locator(f"a[href='run?id={run_id}']")).to_have_count(0)
    page.get_by_text("Take an executor out of work").click()
    expect(page.get_by_text("kill -TERM PROCESS")).to_be_visible()
    row.get_by_title("its runs").click()
    expect(page.locator(f"a[href='run?id={run_id}']")).to_be_visible()
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []
