"""Publishing into a table that several projects share: own rows are swapped, others' are not touched, and the table stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ops.errors import LeaseLost, NotAllowed, PhaseFailed
from ops.model import Scope
from pipelines.lake import Lake
from tests.pipelines.handlers.conftest import Bench

ROWS = {"month": [1, 2], "revenue": [10, 20]}


def publish(bench: Bench, rows: Mapping[str, object], project: str = "demo", **more: object) -> object:
    """Publishes rows as those of one project."""
    lake = Lake(f"{bench.lake.storage.url}/{project}", Scope("acme", project, "dev"))
    theirs = replace(bench, lake=lake)
    theirs.put("gold.revenue", rows)
    target = {"table": "marts.revenue", "dsn": bench.secret("marts", bench.url), "shared": True, **more}
    phase = {"kind": "publish", "table": "gold.revenue", "to": {"postgres": target}}
    return theirs.run(phase).metrics["postgres"]


def demo(bench: Bench) -> Bench:
    """The bench, in the lake of the project demo."""
    return replace(bench, lake=Lake(bench.lake.storage.url + "/demo", Scope("acme", "demo", "dev")))


def read(bench: Bench, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_each_project_swaps_its_own_rows(bench: Bench) -> None:
    assert publish(bench, ROWS) == "swapped"
    assert publish(bench, {"month": [1], "revenue": [7]}, "other") == "swapped"
    assert publish(bench, {"month": [1], "revenue": [11]}) == "swapped"
    assert read(bench, "select tenant, month, revenue from marts.revenue order by 1") == [
        ("acme/demo/dev", 1, 11),
        ("acme/other/dev", 1, 7),
    ]


def test_what_is_there_is_not_written_again(bench: Bench) -> None:
    publish(bench, ROWS)
    before = read(bench, "select ctid, xmin, * from marts.revenue")
    target = {"table": "marts.revenue", "dsn": bench.secret("marts", bench.url), "shared": True}
    phase = {"kind": "publish", "table": "gold.revenue", "to": {"postgres": target}}
    assert demo(bench).run(phase).metrics["postgres"] == "unchanged"
    assert read(bench, "select ctid, xmin, * from marts.revenue") == before


def test_what_stands_on_the_table_outlives_new_columns(bench: Bench) -> None:
    publish(bench, ROWS)
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("create view marts.best as select max(revenue) as best from marts.revenue")
        connection.execute("grant select on marts.revenue to public")
        connection.execute("alter table marts.revenue enable row level security")
        connection.execute("create policy everything on marts.revenue using (true)")
    publish(bench, {"month": [1], "revenue": [30], "margin": [3.5]})
    assert read(bench, "select best from marts.best") == [(30,)]
    assert read(bench, "select polname from pg_policy where polrelid = 'marts.revenue'::regclass") == [("everything",)]
    assert read(bench, "select relacl::text like '%=r/%' from pg_class where oid = 'marts.revenue'::regclass") == [
        (True,)
    ]
    assert read(bench, "select margin from marts.revenue") == [(3.5,)]


def test_a_column_that_one_project_has_alone_is_null_elsewhere(bench: Bench) -> None:
    publish(bench, ROWS)
    publish(bench, {"month": [1], "cost": [4]}, "other")
    rows = read(bench, "select tenant, month, revenue, cost from marts.revenue order by 1, 2")
    assert rows == [("acme/demo/dev", 1, 10, None), ("acme/demo/dev", 2, 20, None), ("acme/other/dev", 1, None, 4)]


def test_a_column_cannot_have_two_types(bench: Bench) -> None:
    publish(bench, ROWS)
    publish(bench, ROWS, "other")
    with pytest.raises(PhaseFailed, match="column revenue is bigint in the rows of other projects"):
        publish(bench, {"month": [1], "revenue": ["much"]}, "other")
    assert read(bench, "select count(*) from marts.revenue") == [(4,)]
    assert read(bench, "select count(*) from pg_class where relname like 'revenue%' and relkind in ('r', 'p')") == [
        (3,)
    ]


def test_a_column_of_the_only_project_may_change_its_type(bench: Bench) -> None:
    publish(bench, ROWS)
    publish(bench, {"month": [1], "revenue": ["much"]})
    assert read(bench, "select revenue from marts.revenue") == [("much",)]


def test_partitions_are_nobodys_to_read(bench: Bench) -> None:
    publish(bench, ROWS)
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("grant select on marts.revenue to public")
    publish(bench, {"month": [3], "revenue": [30]})
    grants = """
    select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid, aclexplode(c.relacl) g
     where g.grantee <> c.relowner
    """
    assert read(bench, grants) == [(0,)]


def test_a_table_of_ours_becomes_shared_and_keeps_its_grants(bench: Bench) -> None:
    bench.put("gold.revenue", ROWS)
    target = {"table": "marts.revenue", "dsn": bench.secret("marts", bench.url)}
    bench.run({"kind": "publish", "table": "gold.revenue", "to": {"postgres": target}})
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("grant select on marts.revenue to public")
    publish(bench, {"month": [9], "revenue": [9]})
    assert read(bench, "select month, tenant from marts.revenue") == [(9, "acme/demo/dev")]
    assert read(bench, "select relacl::text like '%=r/%' from pg_class where oid = 'marts.revenue'::regclass") == [
        (True,)
    ]


def test_a_table_of_others_is_left_alone(bench: Bench) -> None:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.revenue as select 1 as theirs")
    with pytest.raises(NotAllowed, match="was not published by us"):
        publish(bench, ROWS)
    assert read(bench, "select theirs from marts.revenue") == [(1,)]


def test_a_column_called_tenant_is_refused(bench: Bench) -> None:
    with pytest.raises(PhaseFailed, match="has a column tenant of its own"):
        publish(bench, {"tenant": ["me"], "revenue": [1]})


def test_a_zombie_swaps_nothing(bench: Bench) -> None:
    publish(bench, ROWS)
    theirs = demo(bench)
    theirs.put("gold.revenue", {"month": [5], "revenue": [5]})
    zombie = theirs.runs.claim()
    theirs.runs.claim(zombie.run_id)
    target = {"table": "marts.revenue", "dsn": bench.secret("marts", bench.url), "shared": True}
    with pytest.raises(LeaseLost):
        theirs.run({"kind": "publish", "table": "gold.revenue", "to": {"postgres": target}}, zombie)
    assert read(bench, "select month from marts.revenue order by 1") == [(1,), (2,)]
