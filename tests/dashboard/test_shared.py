"""Answers that sessions share: read once for all of one reach, and by nobody of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from datetime import UTC, datetime

import pytest

from dashboard.data import shared, source
from dashboard.views import zone
from dashboard.views.words import exact
from ops.access_reads import Access
from ops.database import AUTHENTICATED, LOCAL_OPERATOR, Connection, acting_as, connect
from ops.embedded import Cluster
from ops.reads import Reads
from ops.tenancy import Tenancy
from tests.postgres import Databases


@pytest.fixture
def tenancy(
    cluster: Cluster, databases: Databases, template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tenancy]:
    """The page's own pool, in this process, on a database with two projects; who sits here is a viewer of the first."""
    with databases.clone(template) as url, connect(url, autocommit=True) as owner:
        monkeypatch.setenv("CONTROLROOM_DATABASE_URL", url)
        monkeypatch.setenv("CONTROLROOM_LOGIN_URL", cluster.login_url(url.rsplit("/", 1)[1].partition("?")[0]))
        source.settings.cache_clear()
        source.pool.cache_clear()
        tenancy = Tenancy(owner)
        tenancy.create_org("acme")
        for project in ("one", "two"):
            tenancy.create_project("acme", project)
        tenancy.set_member("acme", "one", LOCAL_OPERATOR, "viewer")
        yield tenancy
        source.pool().close()
        source.settings.cache_clear()
        source.pool.cache_clear()


def projects(connection: Connection) -> list[str]:
    return [each.project for each in Tenancy(connection).projects()]


def test_one_look_serves_all_of_one_reach(tenancy: Tenancy) -> None:
    looks = []

    def look(connection: Connection) -> list[str]:
        looks.append(Reads(connection).is_member())
        return projects(connection)

    assert [shared.shared("projects", "a", look) for _ in range(50)] == [["one"]] * 50
    # Once, or a little more often where fifty calls take longer than an answer is kept.
    assert 1 <= len(looks) < 25
    looked = len(looks)
    shared.shared("projects", "another key", look)
    assert len(looks) == looked + 1


def test_who_reads_times_in_another_zone_gets_what_is_written_in_it(tenancy: Tenancy) -> None:
    def written(_: Connection) -> str:
        return exact(datetime(2026, 3, 1, 12, tzinfo=UTC))

    def seen_from(name: str) -> str:
        zone.take(name)
        return shared.shared("times", "zones", written)

    # In a context of its own, so that the next test looks from nowhere again.
    looks = [
        copy_context().run(seen_from, name) for name in ("Asia/Kolkata", "Europe/Berlin", "Asia/Kolkata", "no zone")
    ]
    assert looks == [
        "2026-03-01 17:30:00 IST",
        "2026-03-01 13:00:00 CET",
        "2026-03-01 17:30:00 IST",
        "2026-03-01 12:00:00 UTC",
    ]


def test_who_loses_or_gains_a_project_sees_it_with_the_next_look(tenancy: Tenancy) -> None:
    assert shared.shared("projects", "b", projects) == ["one"]
    tenancy.set_member("acme", "two", LOCAL_OPERATOR, "viewer")
    assert shared.shared("projects", "b", projects) == ["one", "two"]
    tenancy.remove_member("acme", "one", LOCAL_OPERATOR)
    assert shared.shared("projects", "b", projects) == ["two"]
    tenancy.remove_member("acme", "two", LOCAL_OPERATOR)
    assert shared.shared("projects", "b", projects) == []


def test_what_is_read_while_the_reach_changes_is_kept_for_nobody_of_the_former(tenancy: Tenancy) -> None:
    class Gaining:
        """A key whose reading makes a membership: between the look at the reach and the look at the rows."""

        gained = False

        def __repr__(self) -> str:
            if not self.gained:
                self.gained = True
                tenancy.set_member("acme", "two", LOCAL_OPERATOR, "viewer")
            return "gaining"

    assert shared.shared("projects", Gaining(), projects) == ["one", "two"]
    tenancy.remove_member("acme", "two", LOCAL_OPERATOR)
    done = Gaining()
    done.gained = True
    assert shared.shared("projects", done, projects) == ["one"]


def test_a_look_writes_nothing_and_leaves_the_connection_as_it_was(tenancy: Tenancy) -> None:
    with pytest.raises(Exception, match="read-only"), source.looking() as connection:
        connection.execute("insert into ops.orgs (slug) values ('mine')")
    with source.pool().connection() as connection:
        assert connection.execute("show transaction_isolation").fetchone() == ("read committed",)
        assert connection.execute("show transaction_read_only").fetchone() == ("off",)


@pytest.mark.parametrize(
    "other",
    [
        ("acme", "two", "viewer", ["dev"]),
        ("acme", "one", "operator", ["dev", "stage", "prod"]),
        ("acme", None, "viewer", ["dev"]),
    ],
)
def test_people_of_different_rights_have_different_reach(
    tenancy: Tenancy, other: tuple[str, str | None, str, list[str]]
) -> None:
    org, project, role, envs = other

    def reach(who: str) -> str:
        with (
            source.pool().connection() as lent,
            acting_as(lent, AUTHENTICATED, {"sub": who, "role": "authenticated"}) as connection,
        ):
            return Access(connection).my_reach()

    tenancy.set_member("acme", "one", "twin", "viewer")
    tenancy.set_member(org, project, "other", role, envs)
    assert reach("twin") == reach(LOCAL_OPERATOR)
    assert reach("other") != reach(LOCAL_OPERATOR)
    assert reach("nobody") not in (reach("other"), reach("twin"))
