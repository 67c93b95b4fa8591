"""Gold as the engine postgres asks it: as the login of a project's environment, and through it another database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from ops.errors import BadInput, NotAllowed, PhaseFailed, QueryLimitExceeded, RunCanceled
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox
from pipelines.sandbox.servers.address import Server, server_of
from tests.postgres import Databases
from tests.superset.marts import TENANTS, marts_of, readers_of

DOCS = Path(__file__).parents[2] / "docs" / "warehouse.md"
MINE, THEIRS = TENANTS


@pytest.fixture(scope="module")
def marts(databases: Databases) -> Iterator[str]:
    with databases.clone("template0", "asked") as url:
        yield marts_of(url)


@pytest.fixture(scope="module")
def logins(marts: str, cluster: Cluster) -> Iterator[dict[str, Server]]:
    """Tenant → gold as its login."""
    given = conninfo_to_dict(cluster.url(str(conninfo_to_dict(marts)["dbname"]), tcp=True))
    by_tcp = f"postgresql://{given['host']}:{given['port']}/{given['dbname']}"
    with readers_of(marts, by_tcp) as urls:
        yield {tenant: server_of("postgres", url) for tenant, url in urls.items()}


def ask(server: Server, sql: str, seconds: float = 30, **more: object) -> pl.DataFrame:
    with Sandbox(QueryLimits(seconds=seconds)) as sandbox:
        return sandbox.ask(sql, {}, engine="postgres", server=server, **more)  # type: ignore[arg-type]


def test_each_tenant_is_answered_from_its_rows(logins: dict[str, Server]) -> None:
    for number, tenant in enumerate(TENANTS):
        assert ask(logins[tenant], "select amount, tenant from gold.revenue").rows() == [(number, tenant)]
        everything = "select count(*) as n from gold.revenue where true or tenant <> ''"
        assert ask(logins[tenant], everything).item() == 1
        through_a_role = (
            "select set_config('role', 'controlroom_bi', true) as r, (select count(*) from gold.revenue) as n"
        )
        assert ask(logins[tenant], through_a_role)["n"].item() == 1


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        ("select * from gold.revenue_0", NotAllowed), ("select * from gold.unshared", NotAllowed),
        ("select * from gold_access.readers", NotAllowed), ("select pg_read_file('/etc/passwd')", NotAllowed),
        ("select * from pg_ls_dir('/')", NotAllowed), ("select rolpassword from pg_authid", NotAllowed),
        ("select set_config('role', 'controlroom', true) from gold.revenue", (NotAllowed, PhaseFailed)),
        ("select set_config('session_authorization', 'controlroom', true) from gold.revenue", (NotAllowed, PhaseFailed)),
        ("set role controlroom", BadInput), ("select 1 as x; set role controlroom", BadInput),
        ("copy gold.revenue to stdout", BadInput),
        ("with x as (insert into gold.revenue values (1, 'acme/demo/dev') returning 1) select * from x", NotAllowed),
        ("with x as (delete from gold.revenue returning 1) select * from x", NotAllowed),
        ("select * into temp t from gold.revenue", (BadInput, NotAllowed)),
        ("select lo_import('/etc/passwd')::text", NotAllowed),
        ("select set_config('transaction_read_only', 'off', true), lo_create(0)::text", (NotAllowed, PhaseFailed)),
    ],
)  # fmt: skip
def test_what_leads_past_the_login_is_refused(
    logins: dict[str, Server], attempt: str, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        ask(logins[THEIRS], attempt)


def working(marts: str) -> int:
    with psycopg.connect(marts, autocommit=True) as owner:
        row = owner.execute(
            "select count(*) from pg_stat_activity where usename like 'bi_%' and state = 'active'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def ended(marts: str) -> bool:
    """Whether nothing of the tenants' is worked on, within some seconds: the server looks once a second."""
    with psycopg.connect(marts, autocommit=True) as owner:
        for _ in range(100):
            if working(marts) == 0:
                return True
            owner.execute("select pg_sleep(0.1)")
    return False


def test_what_takes_too_long_ends_in_gold_too(logins: dict[str, Server], marts: str) -> None:
    with pytest.raises(QueryLimitExceeded) as caught:
        ask(logins[MINE], "select pg_sleep(60)::text as x", seconds=4)
    assert caught.value.data["limit"] == "seconds"
    assert ended(marts)
    with pytest.raises(RunCanceled):
        ask(logins[MINE], "select pg_sleep(60)::text as x", canceled=lambda: working(marts) > 0)
    assert ended(marts)


def test_another_database_is_asked_through_gold_as_the_page_says(
    logins: dict[str, Server], marts: str, databases: Databases, cluster: Cluster
) -> None:
    [page] = re.findall(r"```sql\n(create extension postgres_fdw;.*?)```", DOCS.read_text(), re.DOTALL)
    mine = logins[MINE]
    with databases.clone("template0", "crm") as other:
        with psycopg.connect(other) as crm:
            crm.execute("create table customers as select * from (values (0, 'Ada'), (7, 'Bob')) as v (amount, name)")
        there = conninfo_to_dict(cluster.url(str(conninfo_to_dict(other)["dbname"]), tcp=True))
        written = {
            "crm.example": there["host"], "5432": there["port"], "dbname 'crm'": f"dbname '{there['dbname']}'",
            "'reader'": f"'{there['user']}'", "'…'": f"'{there['password']}'",
            "bi_demo_dev": conninfo_to_dict(mine.address)["user"],
        }  # fmt: skip
        for said, meant in written.items():
            assert said in page
            page = page.replace(said, str(meant))
        with psycopg.connect(marts, autocommit=True) as owner:
            for statement in page.split(";\n"):
                owner.execute(statement.encode())
        try:
            joined = "select c.name, r.amount from crm.customers c join gold.revenue r using (amount)"
            assert ask(mine, joined).rows() == [("Ada", 0)]
            with pytest.raises(NotAllowed):
                ask(logins[THEIRS], joined)
            with pytest.raises(NotAllowed):
                ask(mine, "with x as (insert into crm.customers values ('Eve', 1) returning 1) select * from x")
        finally:
            with psycopg.connect(marts, autocommit=True) as owner:
                owner.execute("drop extension postgres_fdw cascade")
                owner.execute("drop schema crm")
