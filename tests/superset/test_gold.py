"""Gold as Metabase or psql meet it: SQL of logins that are members of controlroom_bi, and of nobody."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from superset import gold
from tests.superset.marts import TENANTS, marts_of, readers_of


@pytest.fixture
def marts(empty_database: str) -> str:
    """A shared table with rows of two tenants, and a table of nobody's."""
    return marts_of(empty_database)


@pytest.fixture
def readers(marts: str) -> Iterator[dict[str, str]]:
    """URLs of both tenants' logins."""
    with readers_of(marts) as made:
        yield made


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_each_login_sees_its_own_rows(readers: dict[str, str]) -> None:
    for number, tenant in enumerate(TENANTS):
        assert ask(readers[tenant], "select amount, tenant from gold.revenue") == [(number, tenant)]
        assert ask(readers[tenant], "select sum(amount), count(*) from gold.revenue where true or tenant <> ''") == [
            (number, 1)
        ]


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from gold.revenue_0",
        "select * from gold.revenue_1",
        "select * from gold.unshared",
        "select * from gold_access.readers",
        "insert into gold_access.readers values (current_user, 'acme/demo/dev')",
        "set default_transaction_read_only = off; insert into gold.revenue values (1, 'acme/demo/dev')",
        "set default_transaction_read_only = off; create table public.mine (x int)",
        "alter table gold.revenue disable row level security",
        "set row_security = off; select * from gold.revenue",
        "set session authorization default; set role controlroom",
        "create or replace function gold_access.my_tenants() returns setof text language sql as 'select 1'",
    ],
)
def test_what_leads_past_the_rules_is_refused(readers: dict[str, str], attempt: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        ask(readers["rivals/demo/dev"], attempt)
    assert refused.value.sqlstate in ("42501", "25006"), refused.value


def test_a_login_keeps_to_its_rows_whichever_role_it_takes(readers: dict[str, str]) -> None:
    with psycopg.connect(readers["rivals/demo/dev"], autocommit=True) as connection:
        connection.execute("set role controlroom_bi")
        assert connection.execute("select tenant from gold.revenue").fetchall() == [("rivals/demo/dev",)]


def test_a_member_of_controlroom_bi_without_a_tenant_sees_nothing(marts: str, readers: dict[str, str]) -> None:
    login = f"metabase_{uuid.uuid4().hex[:8]}"
    ask(marts, f"create role {login} login password 'x' in role controlroom_bi")
    try:
        url = gold.reader_url(marts, login, "x")
        assert ask(url, "select * from gold.revenue") == []
        ask(marts, f"insert into gold_access.readers values ('{login}', '{TENANTS[0]}'), ('{login}', '{TENANTS[1]}')")
        assert ask(url, "select count(*) from gold.revenue") == [(2,)]
    finally:
        ask(marts, f"drop role {login}")


def test_rows_added_later_are_covered_and_repeats_change_nothing(marts: str, readers: dict[str, str]) -> None:
    ask(marts, "create table gold.revenue_2 partition of gold.revenue for values in ('third/demo/dev')")
    ask(marts, "insert into gold.revenue values (3, 'third/demo/dev')")
    for tenant in TENANTS:
        assert len(ask(readers[tenant], "select * from gold.revenue")) == 1


def test_standing_tells_the_versions(marts: str) -> None:
    with psycopg.connect(marts, autocommit=True) as owner:
        found = gold.standing(owner, TENANTS[1])
        assert found == {"revenue": gold.Standing("revenue", 1, "v1:1")}
        assert gold.count_rows(owner, "revenue", TENANTS[1]) == 1
        assert gold.standing(owner, "nobody/demo/dev") == {}
