# ruff: noqa: E501 - SQL and tables of cases read better unbroken
"""Ingest from a real Postgres: one moment of the source, whole or not at all, each table exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import polars as pl
import psycopg
import pytest

from ops.errors import LeaseLost, SchemaDrift, SourceUnreachable
from ops.model import Scope
from pipelines.contract import Contract, named
from pipelines.handler import ArtifactWriter, Context, Secrets
from pipelines.handlers.ingest import Ingest, run
from pipelines.lake import Lake
from pipelines.sources.postgres import PostgresSource
from tests.pipelines.fences import Owner, Runs

CONTRACT = Contract.model_validate(
    {
        "source": "shop",
        "schema": "public",
        "tables": {
            "move": {
                "group": "finance", "sync": "incremental", "cursor": "write_date", "overlap": "10m",
                "columns": {
                    "id": "int32", "name": "text", "amount": "decimal(18,4)", "rate": "decimal(38,12)", "weight": "float64",
                    "labels": "json", "posted": "bool", "day": "date", "blob": "binary", "write_date": "timestamp",
                },
            },
            "line": {"group": "finance", "columns": {"id": "int32", "move_id": "int32", "debit": "decimal(18,2)"}},
        },
    }
)  # fmt: skip
SHOP = """
create table move (id int primary key, name varchar, amount numeric, rate numeric, weight float8, labels jsonb,
                   posted bool, day date, blob bytea, write_date timestamp, not_in_the_contract text);
create table line (id int primary key, move_id int, debit numeric);
insert into move select n, 'INV/' || n, n * 1.25, n / 3.0, n * 0.1, '{"en_US": "x"}', n % 2 = 0, date '2024-01-01' + n % 300,
                        '\\x00ff', timestamp '2024-01-01 12:00' + n * interval '1 minute' from generate_series(1, 1000) n;
insert into move (id) values (1001);
insert into line select n, n / 2, n from generate_series(1, 2000) n;
"""
WHAT = Ingest("read", CONTRACT, {"move": "bronze.move", "line": "bronze.line"})


class Killed(BaseException):
    """Stands for a process that is gone."""


@dataclass
class Shop:
    """The source database and the lake it goes into."""

    url: str
    lake: Lake
    runs: Runs
    scratch: Path

    def execute(self, command: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(command)

    def context(self, owner: Owner) -> Context:
        return Context(
            owner.run_id, owner.token, self.lake.scope, "shop_bronze", "0" * 40, 1, {}, {}, self.lake,
            cast("ArtifactWriter", None), owner, cast("Secrets", None), lambda *args, **facts: None, self.scratch,
        )  # fmt: skip

    def ingest(self, what: Ingest = WHAT, owner: Owner | None = None) -> dict[str, int]:
        done = run(self.context(owner or self.runs.claim()), what, PostgresSource(self.url))
        return {dataset.table: dataset.rows for dataset in done.datasets}

    def operations(self, table: str = "bronze.move") -> list[tuple[int, str]]:
        """Key and operation of the rows that the last ingest appended."""
        rows = self.lake.scan(table).filter(pl.col("_source_lsn") == pl.col("_source_lsn").max())
        return rows.select("id", "_op").sort("id").collect().rows()


@pytest.fixture
def shop(empty_database: str, tmp_path: Path) -> Shop:
    with psycopg.connect(empty_database) as connection:
        connection.execute("create schema fence; set search_path to fence")
    made = Shop(
        empty_database, Lake(str(tmp_path / "lake"), Scope("acme", "demo", "dev")), Runs(empty_database), tmp_path
    )
    made.execute(SHOP)
    return made


def test_bronze_is_what_the_source_said(shop: Shop) -> None:
    assert shop.ingest() == {"bronze.move": 1001, "bronze.line": 2000}
    rows = shop.lake.scan("bronze.move").sort("id").collect()
    with psycopg.connect(shop.url) as connection:
        expected = connection.execute(
            "select id, name, round(amount, 4), round(rate, 12), weight, labels::text, posted, day, blob, "
            "write_date at time zone 'UTC' from move order by id"
        ).fetchall()
    assert rows.drop("_run_id", "_ingested_at", "_source_lsn", "_op").rows() == expected
    assert rows.schema["amount"] == pl.Decimal(18, 4) and rows.schema["rate"] == pl.Decimal(38, 12)
    assert rows["_op"].unique().to_list() == ["r"]
    assert rows.select("_run_id", "_ingested_at", "_source_lsn").unique().height == 1


def test_all_tables_are_of_one_moment(shop: Shop) -> None:
    """Lines that arrive while the moves are read belong to the next ingest."""
    written: list[int] = []

    def write(*args: object, **facts: object) -> None:
        if not written:
            written.append(1)
            shop.execute(
                "insert into line values (9999, 1, 1); insert into move (id) values (9999); delete from line where id = 1"
            )

    context = replace(shop.context(shop.runs.claim()), progress=write)
    run(context, replace(WHAT, readers=1), PostgresSource(shop.url))
    assert written
    assert shop.lake.rows("bronze.move") == 1001
    assert shop.lake.scan("bronze.line").filter(pl.col("id") == 1).collect().height == 1


def test_an_incremental_read_brings_changes_deletes_and_late_rows_only(shop: Shop) -> None:
    shop.ingest()
    shop.execute("""
        update move set name = 'changed', write_date = '2024-03-01' where id = 5;
        delete from move where id in (7, 1000);
        insert into move (id, write_date) values (2000, '2024-03-01');
        insert into move (id, write_date) values (2001, '2023-01-01');  -- behind the watermark: its transaction was long
        update move set name = 'no cursor moved' where id = 995;       -- inside the overlap
    """)
    shop.ingest()
    assert shop.operations() == [(5, "u"), (7, "d"), (995, "u"), (1000, "d"), (2000, "u"), (2001, "u")]
    shop.ingest()
    assert shop.lake.rows("bronze.move") == 1007, "nothing changed, so nothing was appended"


def test_a_row_that_comes_back_is_written_again(shop: Shop) -> None:
    shop.ingest()
    shop.execute(
        "create table kept as select * from move where id in (3, 1000); delete from move where id in (3, 1000)"
    )
    shop.ingest()
    shop.execute("insert into move select * from kept")
    shop.ingest()
    assert shop.operations() == [(3, "u"), (1000, "u")]


def test_after_any_changes_bronze_ends_equal_to_the_source(shop: Shop) -> None:
    for number in range(4):
        shop.ingest()
        shop.execute(
            f"update move set amount = amount + 1, write_date = '2024-04-01'::timestamp + {number} * interval '1h' where id % 5 = {number}"
        )
        shop.execute(f"delete from move where id % 97 = {number}")
    shop.ingest()
    latest = shop.lake.scan("bronze.move").sort("_source_lsn").unique("id", keep="last").filter(pl.col("_op") != "d")
    other = Lake(str(shop.scratch / "other"), shop.lake.scope)
    replace(shop, lake=other).ingest()
    from pipelines.fingerprint import fingerprint

    assert fingerprint(latest, ["id"]) == fingerprint(other.scan("bronze.move"), ["id"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("alter table move drop column amount; alter table line rename to lines", "column move.amount is missing; table line is missing"),
        ("alter table move alter posted type text", "column move.posted is text, the contract says bool"),
        ("alter table line alter id type bigint", "column line.id is int8, the contract says int32"),
        ("update line set debit = 'NaN' where id = 2000", "does not fit"),
        ("update line set debit = 1e17 where id = 2000", "does not fit"),
    ],
)  # fmt: skip
def test_a_source_that_left_its_contract_leaves_nothing_in_the_lake(shop: Shop, change: str, why: str) -> None:
    shop.execute(change)
    with pytest.raises(SchemaDrift, match=why):
        shop.ingest()
    assert shop.lake.version("bronze.move") is None and shop.lake.version("bronze.line") is None
    assert list(Path(shop.lake.root).rglob("*.parquet")) == []


def test_a_column_that_the_contract_does_not_name_may_come_and_go(shop: Shop) -> None:
    shop.ingest()
    shop.execute("alter table move drop column not_in_the_contract")
    assert shop.ingest()["bronze.move"] == 0


def test_an_unreachable_source_is_named_without_its_password() -> None:
    source = PostgresSource("postgresql://reader:hunter2@127.0.0.1:1/odoo", connect_timeout_seconds=2)
    with pytest.raises(SourceUnreachable) as refused, source.snapshot():
        pass
    assert "hunter2" not in str(refused.value) and "127.0.0.1" in str(refused.value)


class DiesAfter(Owner):
    """An owner that dies when it has committed one table."""

    @contextmanager
    def hold(self) -> Iterator[object]:  # type: ignore[override]
        if getattr(self, "used", False):
            raise Killed
        object.__setattr__(self, "used", True)
        with super().hold() as real:
            yield real


def test_the_next_owner_completes_the_same_moment(shop: Shop) -> None:
    """A crash between two tables: the source has moved on, but the second table comes of the first one's moment."""
    first = shop.runs.claim()
    with suppress(Killed):
        shop.ingest(owner=DiesAfter(first.url, first.run_id, first.token))
    assert (shop.lake.version("bronze.move"), shop.lake.version("bronze.line")) == (0, None)
    shop.execute("delete from line; insert into move (id) values (5000)")

    assert shop.ingest(owner=shop.runs.claim(first.run_id)) == {"bronze.move": 1001, "bronze.line": 2000}
    assert shop.runs.recorded() == [("bronze.line", 0), ("bronze.move", 0)]
    with pytest.raises(LeaseLost):
        shop.ingest(owner=first)


def test_a_retry_completes_the_same_moment(shop: Shop) -> None:
    first = shop.runs.claim()
    with suppress(Killed):
        shop.ingest(owner=DiesAfter(first.url, first.run_id, first.token))
    shop.execute("delete from line; insert into move (id) values (5000)")
    retry = replace(shop.context(shop.runs.claim()), root_run=first.run_id)
    datasets = run(retry, WHAT, PostgresSource(shop.url)).datasets
    assert [(one.table, one.version, one.rows) for one in datasets] == [
        ("bronze.move", 0, 1001),
        ("bronze.line", 0, 2000),
    ]
    assert set(shop.lake.scan("bronze.line").collect()["_run_id"]) == {str(first.run_id)}
    # Whoever starts anew reads anew.
    assert shop.ingest() == {"bronze.move": 1, "bronze.line": 0}


def test_of_two_owners_that_land_at_once_one_moment_counts(shop: Shop) -> None:
    old = shop.runs.claim()
    moved: list[int] = []

    def takeover(*args: object, **facts: object) -> None:
        if not moved:
            moved.append(1)
            shop.execute("delete from line where id > 10")
            shop.ingest(owner=shop.runs.claim(old.run_id))

    with pytest.raises(LeaseLost):
        run(replace(shop.context(old), progress=takeover), WHAT, PostgresSource(shop.url))
    assert shop.lake.rows("bronze.line") == 10
    named = {Path(uri).name for table in ("bronze.move", "bronze.line") for uri in shop.lake.handle(table).file_uris()}
    assert {path.name for path in Path(shop.lake.root).rglob("*.parquet")} == named, "the loser's files are gone"


def test_the_number_of_readers_does_not_change_the_fingerprint(shop: Shop) -> None:
    prints = set()
    for readers in (1, 2, 4):
        lake = Lake(str(shop.scratch / f"lake{readers}"), shop.lake.scope)
        context = replace(shop.context(shop.runs.claim()), lake=lake)
        prints.add(run(context, replace(WHAT, readers=readers), PostgresSource(shop.url)).output_fingerprint)
    assert len(prints) == 1


def test_the_real_odoo_goes_into_bronze_by_its_contract(shop: Shop, odoo_database: str) -> None:
    contract = named("odoo")
    what = Ingest("odoo", contract, {name: f"bronze.{name}" for name in contract.tables})
    done = run(shop.context(shop.runs.claim()), what, PostgresSource(odoo_database))
    rows = {dataset.table: dataset.rows for dataset in done.datasets}
    with psycopg.connect(odoo_database) as connection:
        for name in contract.tables:
            counted = connection.execute(f"select count(*) from {name}").fetchone()
            assert counted == (rows[f"bronze.{name}"],), name
    assert rows["bronze.account_move_line"] == 144
