"""What is read of alerts and messages: nothing that is wrong drops out of sight, and a long ledger is not walked through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from ops.alerts import LOOKED_THROUGH, AlertCounts, Alerts
from ops.database import AUTHENTICATED, acting_as
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.history import reading
from tests.postgres import Databases

PLANS = ("force_custom_plan", "force_generic_plan")
PROJECTS, RESOLVED, MESSAGES = 5, 4_000, 6_000
# Of each project: three open critical ones, older than all that is resolved; one warning, one that somebody sees to.
HISTORY = """
select ops.ensure_project('crowd', 'p' || n) from generate_series(1, %(projects)s) as n;
insert into ops.alerts (project_id, rule_id, env, group_key, severity, title, value, seen_at, opened_at, state, resolved_at)
  select r.project_id, r.id, 'dev', 'old' || n, 'warning', 'over', 1, at, at, 'resolved', at
  from ops.alert_rules r, generate_series(1, %(resolved)s) as n,
    lateral (select clock_timestamp() - n * interval '10 seconds' as at) as t
  where r.name = 'Run failed';
insert into ops.alerts (
  project_id, rule_id, env, group_key, severity, title, value, seen_at, opened_at, state, acknowledged_at)
  select r.project_id, r.id, 'dev', 'group' || n, case n when 4 then 'warning' else 'critical' end, 'wrong', 1, at, at,
    case n when 5 then 'acknowledged' else 'open' end, case n when 5 then at end
  from ops.alert_rules r, generate_series(1, 5) as n,
    lateral (select clock_timestamp() - interval '90 days' - n * interval '1 minute' as at) as t
  where r.name = 'Run failed';
insert into ops.notifications (project_id, severity, title, channel, state, created_at)
  select p.id, 'info', 'message', 'pager', case n %% 1500 when 0 then 'failed' else 'delivered' end,
    clock_timestamp() - n * interval '1 minute'
  from ops.projects p, generate_series(1, %(messages)s) as n where p.slug like 'p%%'
"""
MINE = 2


@pytest.fixture(scope="module")
def old(databases: Databases, template: str) -> Iterator[psycopg.Connection]:
    """Someone is a member of two of five projects with a past."""
    with databases.clone(template) as url, psycopg.connect(url, autocommit=True) as connection:
        numbers = {"projects": PROJECTS, "resolved": RESOLVED, "messages": MESSAGES}
        for statement in HISTORY.split(";"):
            connection.execute(psycopg.ClientCursor(connection).mogrify(statement, numbers).encode())
        connection.execute("vacuum analyze")
        for number in range(1, MINE + 1):
            Tenancy(connection).set_member("crowd", f"p{number}", "someone", "admin")
        yield connection


@pytest.fixture
def mine(old: psycopg.Connection) -> Iterator[Alerts]:
    with acting_as(old, AUTHENTICATED, {"sub": "someone"}) as asking:
        yield Alerts(asking)


def test_resolved_ones_take_nobodys_place(mine: Alerts) -> None:
    rows = mine.alerts(everything=True, limit=20)
    assert [sum(row.state == state for row in rows) for state in ("open", "acknowledged", "resolved")] == [8, 2, 10]
    assert rows == sorted(rows, key=lambda row: (row.opened_at, row.alert_id), reverse=True)
    # Where there is room for a few alone, it is for the latest that are not resolved.
    unresolved = [row for row in rows if row.state != "resolved"]
    assert mine.alerts(everything=True, limit=6) == unresolved[:6]
    assert mine.alerts(limit=6) == unresolved[:6]


def test_they_stand_in_the_order_in_which_somebody_goes_through_them(mine: Alerts) -> None:
    ranked = mine.ranked(100, 2)
    assert [(row.state, row.severity) for row in ranked] == [
        *[("open", "critical")] * 6, *[("open", "warning")] * 2, *[("acknowledged", "critical")] * 2,
        *[("resolved", "warning")] * 2,
    ]  # fmt: skip
    assert ranked[0].opened_at > ranked[-4].opened_at


def test_all_are_counted_however_few_are_shown(mine: Alerts) -> None:
    assert mine.counts() == AlertCounts(critical=6, warning=2, info=0, acknowledged=2, muted=0)
    assert mine.counts().unresolved == 10
    assert len(mine.ranked(3)) == 3


def test_the_one_that_is_asked_for_is_there_whatever_its_place_and_only_if_it_is_the_askers(
    old: psycopg.Connection,
) -> None:
    find = """
        select a.id from ops.alerts a join ops.projects p on p.id = a.project_id
        where p.slug = %s and a.group_key = %s
    """

    def of(project: str, group: str) -> UUID:
        [[found]] = old.execute(find, [project, group]).fetchall()
        return UUID(str(found))

    last, open_, theirs = of("p1", f"old{RESOLVED}"), of("p2", "group5"), of("p3", "group1")
    with acting_as(old, AUTHENTICATED, {"sub": "someone"}) as asking:
        desk = Alerts(asking)
        assert [row.alert_id for row in desk.ranked(1, 1, last)][-1] == last
        assert len(desk.ranked(1, 1, last)) == 3
        assert open_ in [row.alert_id for row in desk.ranked(1, 0, open_)]
        assert theirs not in [row.alert_id for row in desk.ranked(1, 0, theirs)]
        assert desk.find(str(last)[-12:]).alert_id == last


SILENCES = {
    "all of the project": {},
    "its environment": {"env": "dev"},
    "another environment": {"env": "prod"},
    "its rule": {"rule": "Run failed"},
    "another rule": {"rule": "Score is low"},
    "its group": {"rule": "Run failed", "group_key": "group1"},
    "another group": {"group_key": "group2"},
    "later": {"starts_at": datetime.now(UTC) + timedelta(days=1)},
}


@pytest.mark.parametrize("what", SILENCES)
def test_muted_is_what_no_message_goes_out_of(old: psycopg.Connection, what: str) -> None:
    with old.transaction(force_rollback=True):
        project = Rpc(old).ensure_project("crowd", "p1")
        desk = Alerts(old)
        desk.silence(project, "mute", timedelta(hours=2), "x", **SILENCES[what])  # type: ignore[arg-type]
        silenced = {
            row[0]
            for row in old.execute(
                "select id from ops.alerts where state <> 'resolved' and private.silenced(id, clock_timestamp())"
            ).fetchall()
        }
        rows = desk.ranked(100, 10)
        assert {row.alert_id for row in rows if row.muted_until} == silenced
        assert desk.counts().muted == sum(row.state == "open" and row.alert_id in silenced for row in rows)
        # What nobody is told of needs nobody: it stands behind what does.
        unmuted = [row.muted_until is None for row in rows if row.state == "open"]
        assert unmuted == sorted(unmuted, reverse=True)


def test_it_is_muted_until_the_last_of_its_silences_ends(old: psycopg.Connection) -> None:
    with old.transaction(force_rollback=True):
        project, desk = Rpc(old).ensure_project("crowd", "p1"), Alerts(old)
        for hours in (3, 1):
            desk.silence(project, "maintenance", timedelta(hours=hours), "x")
        [until] = {row.muted_until for row in desk.ranked(100) if row.project == "p1"}
        assert until is not None
        assert timedelta(hours=2) < until - datetime.now(UTC) < timedelta(hours=4)


def test_pages_of_the_ledger_follow_each_other(mine: Alerts) -> None:
    seen: list[UUID] = []
    before = None
    for _ in range(4):
        page = mine.message_page(30, before=before)
        assert [(row.created_at, row.notification_id) for row in page] == sorted(
            ((row.created_at, row.notification_id) for row in page), reverse=True
        )
        seen += [row.notification_id for row in page]
        before = page[-1].created_at, page[-1].notification_id
    assert len(set(seen)) == 120
    assert seen == [row.notification_id for row in mine.message_page(120)]


def test_a_state_is_looked_for_among_the_next_thousand(mine: Alerts) -> None:
    assert mine.message_page(50, "failed") == []
    [at] = [row.created_at for row in mine.message_page(1201)][-1:]
    found = mine.message_page(50, "failed", (at, UUID(int=0)))
    assert [row.state for row in found] == ["failed"] * MINE


PLACE = (datetime.now(UTC) - timedelta(hours=30), UUID(int=0))
UNRESOLVED = 5 * PROJECTS
# What is asked → how many rows it may read for that.
ASKED: dict[str, tuple[Callable[[Alerts], object], int]] = {
    "unresolved": (lambda desk: desk.ranked(30), 4 * UNRESOLVED),
    "with resolved ones": (lambda desk: desk.ranked(30, 30), 4 * UNRESOLVED + MINE * (30 + 10)),
    "counts": (lambda desk: desk.counts(), 3 * UNRESOLVED),
    "messages": (lambda desk: desk.message_page(51), MINE * 60),
    "messages further back": (lambda desk: desk.message_page(51, before=PLACE), MINE * 60),
    "messages in one state": (lambda desk: desk.message_page(51, "failed", PLACE), MINE * (LOOKED_THROUGH + 60)),
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("what", ASKED)
def test_a_page_reads_a_page(old: psycopg.Connection, what: str, plan: str) -> None:
    ask, most = ASKED[what]
    with old.transaction(force_rollback=True):
        old.execute("select set_config('plan_cache_mode', %s, true)", [plan])
        Alerts(old).silence(Rpc(old).ensure_project("crowd", "p1"), "mute", timedelta(hours=1), "x")
        with acting_as(old, AUTHENTICATED, {"sub": "someone"}) as asking:
            _, rows, whole = reading(old, lambda: ask(Alerts(asking)))
    assert whole == set()
    assert sum(rows.values()) - rows.get("alert_rules", 0) <= most, rows
