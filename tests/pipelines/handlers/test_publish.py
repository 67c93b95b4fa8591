"""Publish: readers see the old table or the new one, with their grants and views, and nothing is left lying about."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from threading import Barrier

import polars as pl
import psycopg
import pytest
from pydantic import ValidationError

from ops.errors import LeaseLost, NotAllowed, PhaseFailed, SecretMissing, SourceUnreachable
from pipelines.handlers.postgres_load import ensure_schema
from pipelines.lake import Lake
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
    """Those of the schema, but for what is kept for a rollback."""
    found = ask(bench, "select tablename from pg_tables where schemaname = 'marts' order by 1")
    return [str(name) for (name,) in found if "__previous_" not in str(name)]


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


STANDING = (
    "alter table marts.revenue enable row level security, force row level security",
    "create policy mine on marts.revenue as restrictive for select to {reader} using (month = '2026-03')",
    "create policy all_of_it on marts.revenue for all using (amount > 0) with check (amount > 1)",
    "grant usage on schema marts to {reader}",
    "grant select (month), update (amount) on marts.revenue to {reader}",
    "create index by_amount on marts.revenue (amount) where amount > 0",
    'create unique index "By Month" on marts.revenue (month desc)',
    "alter table marts.revenue add constraint pays check (amount > 0)",
    "alter table marts.revenue add constraint named unique (month, amount)",
    "comment on column marts.revenue.month is 'It''s a month'",
    "create function marts.seen() returns trigger language plpgsql as 'begin return new; end'",
    "create trigger watch after insert on marts.revenue for each row execute function marts.seen()",
    "alter table marts.revenue disable trigger watch",
    "create view marts.total with (security_invoker = true) as select sum(amount) as total from marts.revenue",
    "create view marts.more as select total from marts.total",
    "grant select on marts.total to {reader}",
    "create publication told for table marts.revenue",
)
# All that is not named after the table's own id, in words that do not name it.
STOOD = """
select array(select format('%s %s', grantee::regrole, privilege_type) from aclexplode(c.relacl)
     where grantee <> c.relowner order by 1),
  c.relrowsecurity, c.relforcerowsecurity,
  array(select format('%s: %s', attname, attacl) from pg_attribute where attrelid = c.oid order by 1),
  array(select format('%s %s %s %s %s %s', policyname, permissive, roles, cmd, qual, with_check)
     from pg_policies where tablename = 'revenue' order by 1),
  array(select indexdef from pg_indexes where tablename = 'revenue' and indexname !~ '__' order by 1),
  array(select conname || pg_get_constraintdef(oid) from pg_constraint where conrelid = c.oid order by 1),
  array(select format('%s %s', pg_get_triggerdef(oid), tgenabled) from pg_trigger where tgrelid = c.oid order by 1),
  array(select format('%s %s %s %s', viewname, definition, v.relacl, v.reloptions)
     from pg_views join pg_class v on v.oid = ('marts.' || viewname)::regclass where schemaname = 'marts' order by 1),
  col_description(c.oid, 1), array(select pubname from pg_publication_tables where tablename = 'revenue' order by 1)
from pg_class c where c.oid = 'marts.revenue'::regclass
"""


@pytest.fixture
def adorned(published: Bench, reader: str) -> Bench:
    """A published table with everything on it that people put on tables."""
    for change in STANDING:
        ask(published, change.format(reader=reader))
    return published


def test_whatever_stands_on_the_table_stands_on_the_new_one(adorned: Bench, reader: str) -> None:
    [before], was = ask(adorned, "select 'marts.revenue'::regclass::oid"), ask(adorned, STOOD)
    adorned.put("gold.revenue", {"month": ["2026-03", "2026-04"], "amount": [Decimal("3.30")] * 2})
    assert adorned.run(to_postgres(adorned)).metrics["postgres"] == "swapped"
    assert ask(adorned, "select 'marts.revenue'::regclass::oid") != [before]
    assert ask(adorned, STOOD) == was
    assert ask(adorned, "select total from marts.more") == [(Decimal("6.60"),)]
    with psycopg.connect(adorned.url, autocommit=True) as connection:
        connection.execute(f"set role {reader}".encode())
        assert connection.execute("select month from marts.revenue").fetchall() == [("2026-03",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select amount from marts.revenue")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"month": ["2026-03"], "value": [1]}, r"has other columns now, and index by_amount stands on the old"),
        ({"month": ["2026-03"], "amount": [Decimal("-1.00")]}, r"constraint pays stands on .* refuses its new rows"),
        ({"month": [1], "amount": [Decimal("1.00")]}, r"has other columns now, and (policy mine|view marts)"),
    ],
)
def test_what_cannot_stand_on_the_new_rows_leaves_readers_what_they_had(
    adorned: Bench, rows: dict[str, object], reason: str
) -> None:
    was = ask(adorned, STOOD)
    adorned.put("gold.revenue", rows)
    with pytest.raises(PhaseFailed, match=reason):
        adorned.run(to_postgres(adorned))
    assert ask(adorned, STOOD) == was
    assert len(ask(adorned, "table marts.revenue")) == 2
    assert tables(adorned) == ["revenue"]


@pytest.mark.parametrize(
    "bound",
    [
        "create materialized view marts.bound as select sum(amount) from marts.revenue",
        "create function marts.bound() returns bigint begin atomic select count(*) from marts.revenue; end",
        "create statistics marts.bound on month, amount from marts.revenue",
        "create table marts.other (month text primary key);"
        "create rule bound as on insert to marts.other do also select count(*) from marts.revenue",
    ],
)
def test_what_no_statement_can_move_stays_and_the_rows_are_exchanged(published: Bench, bound: str) -> None:
    ask(published, bound)
    [before] = ask(published, "select 'marts.revenue'::regclass::oid")
    published.put("gold.revenue", LATER)
    assert published.run(to_postgres(published)).metrics["postgres"] == "exchanged"
    assert ask(published, "select 'marts.revenue'::regclass::oid") == [before]
    assert ask(published, "table marts.revenue") == [("2026-03", Decimal("3.30"))]
    assert set(tables(published)) <= {"revenue", "other"}
    assert published.run(to_postgres(published)).metrics["postgres"] == "unchanged"


def test_equal_rows_of_a_newer_version_are_not_written_again(published: Bench) -> None:
    [before] = ask(published, "select oid, obj_description(oid) from pg_class where oid = 'marts.revenue'::regclass")
    published.put("gold.revenue", LATER)
    published.put("gold.revenue", MART)
    assert published.run(to_postgres(published)).metrics == {"version": 2, "postgres": "unchanged"}
    assert ask(published, "select oid, obj_description(oid) from pg_class where oid = 'marts.revenue'::regclass") == [
        before
    ]


def test_other_settings_are_made_and_said(published: Bench) -> None:
    more = {"indexes": [["amount"], ["month", "amount"]], "key": ["month"], "columns": {"month": "Of posting"}}
    assert published.run(to_postgres(published, **more)).metrics["postgres"] == "swapped"
    assert published.run(to_postgres(published, **more)).metrics["postgres"] == "unchanged"
    found = ask(published, "select indexdef from pg_indexes where tablename = 'revenue' order by 1")
    assert [str(row[0]).partition(" USING ")[2] for row in found] == [
        "btree (amount)", "btree (month, amount)", "btree (month)",
    ]  # fmt: skip
    assert ask(published, "select col_description('marts.revenue'::regclass, 1)") == [("Of posting",)]


def test_nobody_reads_what_is_loaded_or_kept_whatever_a_schema_gives_by_default(published: Bench, reader: str) -> None:
    ask(published, f"alter default privileges in schema marts grant select on tables to {reader}, public")
    for rows in (LATER, MART):
        published.put("gold.revenue", rows)
        published.run(to_postgres(published))
    kept = ask(published, "select relacl from pg_class where relname ~ '^revenue__previous_'")
    assert len(kept) == 1, "one is kept"
    assert reader not in str(kept)
    assert ask(published, f"select has_table_privilege('{reader}', 'marts.revenue', 'select')") == [(False,)]


def test_every_type_arrives_as_it_left(bench: Bench) -> None:
    rows = pl.DataFrame(
        {
            "b": [True, None], "i8": [-128, 127], "i16": [-32768, None], "i32": [2**31 - 1, 0], "i64": [-(2**63), 2**63 - 1],
            "f32": [1.5, None], "f64": [float("inf"), -0.1], "text": ["", "naïve\n"], "bytes": [b"\x00\xff", None],
            "day": [date(1, 1, 1), date(9999, 12, 31)], "at": [datetime(1969, 12, 31, 23, 59, 59, 1, UTC), None],
            "utc": [datetime(2026, 1, 1, tzinfo=UTC), None],
            "money": [Decimal("-99999999999999999999999999999999.999999"), Decimal("0.000001")],
            "whole": [Decimal("100000000"), Decimal(-10000)], "none": [None, None],
        },
        schema_overrides={
            "i8": pl.Int8, "i16": pl.Int16, "i32": pl.Int32, "f32": pl.Float32, "money": pl.Decimal(38, 6),
            "whole": pl.Decimal(20, 0), "none": pl.String,
        },
    )  # fmt: skip
    bench.put("gold.revenue", rows)
    assert bench.run(to_postgres(bench)).metrics["postgres"] == "swapped"
    assert ask(bench, "select * from marts.revenue order by i32 desc") == rows.rows()


def test_half_a_load_is_never_swapped_in(published: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    published.put("gold.revenue", {"month": ["2026-03", "2026-04"], "amount": [Decimal("3.30"), Decimal("4.40")]})
    whole = Lake.scan
    monkeypatch.setattr(Lake, "scan", lambda lake, table, version=None: whole(lake, table, version).head(1))
    with pytest.raises(PhaseFailed, match=r"not what was read: rows is 1, not 2; readers keep what they have"):
        published.run(to_postgres(published))
    assert len(ask(published, "table marts.revenue")) == 2
    assert tables(published) == ["revenue"]


def test_a_row_that_changes_on_its_way_is_found(published: Bench) -> None:
    """A trigger of the database's own stands in for whatever might change rows in flight."""
    ask(
        published,
        "create function marts.bend() returns event_trigger language plpgsql as $$begin"
        " execute (select format('create trigger bend before insert on %s for each row execute function marts.bent()',"
        " object_identity) from pg_event_trigger_ddl_commands() where object_type = 'table' and command_tag = 'CREATE TABLE');"
        " end$$",
    )
    ask(
        published,
        "create function marts.bent() returns trigger language plpgsql as"
        " 'begin new.amount := new.amount + 0.01; return new; end'",
    )
    ask(
        published,
        "create event trigger bend on ddl_command_end when tag in ('CREATE TABLE') execute function marts.bend()",
    )
    published.put("gold.revenue", LATER)
    with pytest.raises(PhaseFailed, match=r"sum of amount is 3\.31, not 3\.30?;"):
        published.run(to_postgres(published))
    assert len(ask(published, "table marts.revenue")) == 2


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
