"""Publish: readers see the old table or the new one, with their grants and views, and nothing is left lying about."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from io import BytesIO
from threading import Barrier

import polars as pl
import psycopg
import pytest
from pydantic import ValidationError

from ops.errors import LeaseLost, NotAllowed, PhaseFailed, SecretMissing, SourceUnreachable
from pipelines.handlers.postgres_table import ensure_schema
from tests.pipelines.handlers.conftest import Bench, one_phase

MART = {"month": ["2026-01", "2026-02"], "amount": [Decimal("1.10"), Decimal("2.20")]}
LATER = {"month": ["2026-03"], "amount": [Decimal("3.30")]}


def to_postgres(bench: Bench, **more: object) -> dict[str, object]:
    target = {"table": "marts.revenue", "dsn": bench.secret("marts_dsn", bench.url), **more}
    return {"kind": "publish", "table": "gold.revenue", "to": {"postgres": target}}


def ask(bench: Bench, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(bench.url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def tables(bench: Bench) -> list[str]:
    return [str(row[0]) for row in ask(bench, "select tablename from pg_tables where schemaname = 'marts' order by 1")]


@pytest.fixture
def published(bench: Bench) -> Bench:
    bench.put("gold.revenue", MART)
    assert bench.run(to_postgres(bench)).metrics["postgres"] == "swapped"
    return bench


@pytest.fixture
def reader(bench: Bench) -> Iterator[str]:
    """A role of the test's own; roles belong to the whole cluster."""
    name = f"reader_{bench.runs.claim().run_id.hex[:12]}"
    ask(bench, f"create role {name}")
    yield name
    ask(bench, f"drop owned by {name}")
    ask(bench, f"drop role {name}")


def test_postgres_holds_the_rows_once_and_no_other_table(published: Bench) -> None:
    assert ask(published, "table marts.revenue") == [("2026-01", Decimal("1.10")), ("2026-02", Decimal("2.20"))]
    assert tables(published) == ["revenue"]


def test_what_is_there_already_is_not_written_again(published: Bench) -> None:
    [before] = ask(published, "select 'marts.revenue'::regclass::oid")
    assert published.run(to_postgres(published)).metrics["postgres"] == "unchanged"
    assert ask(published, "select 'marts.revenue'::regclass::oid") == [before]
    published.put("gold.revenue", LATER)
    assert published.run(to_postgres(published)).metrics["postgres"] == "swapped"
    assert ask(published, "table marts.revenue") == [("2026-03", Decimal("3.30"))]


def test_publishers_that_race_to_a_new_schema_all_find_it(bench: Bench) -> None:
    together = Barrier(6, timeout=20)

    def publisher(_: int) -> None:
        with psycopg.connect(bench.url, autocommit=True) as connection:
            for number in range(10):
                together.wait()
                ensure_schema(connection, f"race_{number}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(publisher, range(6)))
    assert ask(bench, "select count(*) from pg_namespace where nspname like 'race%'") == [(10,)]


def test_who_may_read_may_still_read_after_the_swap(published: Bench, reader: str) -> None:
    ask(published, f"grant select, references on marts.revenue to {reader} with grant option")
    ask(published, "grant select on marts.revenue to public")
    grants = (
        "select grantee::text, privilege_type, is_grantable from pg_class, aclexplode(relacl) "
        "where oid = 'marts.revenue'::regclass order by 1, 2"
    )
    before = ask(published, grants)
    published.put("gold.revenue", LATER)
    published.run(to_postgres(published))
    assert ask(published, grants) == before


def test_a_view_goes_on_reading_the_table(published: Bench) -> None:
    ask(published, "create view marts.total as select sum(amount) as total from marts.revenue")
    published.put("gold.revenue", LATER)
    published.run(to_postgres(published))
    assert ask(published, "table marts.total") == [(Decimal("3.30"),)]
    assert tables(published) == ["revenue"]
    assert published.run(to_postgres(published)).metrics["postgres"] == "unchanged"


def test_row_level_security_triggers_and_indexes_stay_on_the_table(published: Bench, reader: str) -> None:
    for change in (
        "alter table marts.revenue enable row level security",
        f"create policy mine on marts.revenue for select to {reader} using (month = '2026-03')",
        f"grant usage on schema marts to {reader}",
        f"grant select (month) on marts.revenue to {reader}",
        "create index by_amount on marts.revenue (amount)",
    ):
        ask(published, change)
    [before] = ask(published, "select 'marts.revenue'::regclass::oid")
    published.put("gold.revenue", {"month": ["2026-03", "2026-04"], "amount": [Decimal("3.30")] * 2})
    published.run(to_postgres(published))
    assert ask(published, "select 'marts.revenue'::regclass::oid") == [before]
    with psycopg.connect(published.url, autocommit=True) as connection:
        connection.execute(f"set role {reader}".encode())
        assert connection.execute("select month from marts.revenue").fetchall() == [("2026-03",)]
    assert ask(published, "select 1 from pg_indexes where indexname = 'by_amount'") == [(1,)]
    published.put("gold.revenue", {"month": ["2026-03"], "value": [1]})
    with pytest.raises(PhaseFailed, match=r"policy mine.*stands on the old ones"):
        published.run(to_postgres(published))


def test_a_table_that_we_did_not_publish_is_not_replaced(bench: Bench) -> None:
    bench.put("gold.revenue", MART)
    ask(bench, "create schema marts")
    ask(bench, "create table marts.revenue as select 'of a person' as owner")
    with pytest.raises(NotAllowed, match=r"marts\.revenue is there and was not published by us"):
        bench.run(to_postgres(bench))
    assert ask(bench, "table marts.revenue") == [("of a person",)]
    ask(bench, "delete from marts.revenue")
    assert bench.run(to_postgres(bench)).metrics["postgres"] == "swapped"
    ask(bench, "create view marts.other as select 1 as n")
    with pytest.raises(NotAllowed):
        bench.run(to_postgres(bench, table="marts.other"))


@pytest.mark.parametrize("schema", ["ops", "private", "api", "auth", "pg_catalog", "information_schema"])
def test_the_control_rooms_own_schemas_are_no_target(bench: Bench, schema: str) -> None:
    with pytest.raises(ValidationError, match=f"schema {schema} is not for publishing"):
        one_phase(to_postgres(bench, table=f"{schema}.memberships"))


@pytest.mark.parametrize(
    "dsn", ["postgresql://me:hunter2@db/marts", "host=db password=hunter2", "postgresql://db/x?password=hunter2"]
)
def test_a_password_does_not_stand_in_a_spec(bench: Bench, dsn: str) -> None:
    with pytest.raises(ValidationError, match="must not stand in a spec"):
        one_phase(to_postgres(bench, dsn=dsn))


def test_a_view_on_columns_that_changed_refuses_the_swap_and_is_named(published: Bench) -> None:
    ask(published, "create view marts.total as select sum(amount) as total from marts.revenue")
    published.put("gold.revenue", {"month": ["2026-03"], "value": [1]})
    with pytest.raises(PhaseFailed, match=r"has other columns now, and view marts\.total stands on the old ones"):
        published.run(to_postgres(published))
    assert ask(published, "table marts.total") == [(Decimal("3.30"),)]
    assert tables(published) == ["revenue"]


def test_a_doubled_key_leaves_readers_what_they_had(published: Bench) -> None:
    published.put("gold.revenue", {"month": ["x", "x"], "amount": [Decimal("1.00")] * 2})
    with pytest.raises(PhaseFailed, match="could not create unique index") as caught:
        published.run(to_postgres(published, key=["month"]))
    assert "\n" not in str(caught.value)
    assert len(ask(published, "table marts.revenue")) == 2
    assert tables(published) == ["revenue"]


def test_a_zombie_swaps_nothing_and_leaves_nothing(published: Bench) -> None:
    zombie = published.runs.claim()
    published.runs.claim(zombie.run_id)
    published.put("gold.revenue", LATER)
    with pytest.raises(LeaseLost):
        published.run(to_postgres(published), zombie)
    assert len(ask(published, "table marts.revenue")) == 2
    assert tables(published) == ["revenue"]


def test_what_a_dead_owner_loaded_is_removed_and_nothing_else(published: Bench) -> None:
    ask(
        published,
        "create table marts.revenue__900 (x int); comment on table marts.revenue__900 is 'controlroom loading'",
    )
    ask(
        published,
        "create table marts.revenue__901 (x int); comment on table marts.revenue__901 is 'controlroom loading'",
    )
    ask(published, "create table marts.revenue__2024 as select 'of a person' as owner")
    published.put("gold.revenue", LATER)
    with psycopg.connect(published.url) as other:
        other.execute("select pg_advisory_lock(hashtextextended('marts.revenue__901', 0))")
        published.run(to_postgres(published))
    assert tables(published) == ["revenue", "revenue__2024", "revenue__901"], "901's loader is alive"


@pytest.mark.parametrize(
    ("dsn", "error", "reason"),
    [
        ("postgresql://writer:hunter2@127.0.0.1:1/marts", SourceUnreachable, "does not answer"),
        ("secret://file/nowhere", SecretMissing, "nowhere"),
    ],
)
def test_a_target_out_of_reach_is_typed_and_keeps_its_secret(
    published: Bench, dsn: str, error: type[Exception], reason: str
) -> None:
    stored = dsn if dsn.startswith("secret://") else published.secret("elsewhere", dsn)
    with pytest.raises(error, match=reason) as caught:
        published.run(to_postgres(published, dsn=stored))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_an_artifact_has_the_same_bytes_on_repeat(bench: Bench, kind: str) -> None:
    bench.put("gold.revenue", MART)
    document = {"kind": "publish", "table": "gold.revenue", "to": {"artifact": {"format": kind}}}
    [first], [again] = bench.run(document).artifacts, bench.run(document).artifacts
    assert first == again
    read = pl.read_parquet if kind == "parquet" else pl.read_csv
    assert read(BytesIO(bench.artifacts.read(first.uri))).height == 2
    bench.artifacts.verify(first.uri, first.sha256)
