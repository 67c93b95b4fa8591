"""Postgres as an engine, on a real one: types, limits, what is refused, and that nothing goes on when nobody waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from ops.errors import (
    BadInput,
    NotAllowed,
    PhaseFailed,
    QueryLimitExceeded,
    RunCanceled,
    SourceUnreachable,
)  # fmt: skip
from pipelines.sandbox.confine import landlock_version
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox
from pipelines.sandbox.servers.address import Server, server_of

TIGHT = QueryLimits(memory_mb=768, seconds=30, rows=1000, result_mb=2)
UNSHOWN = (
    "point(1, 2)", "interval '1 day'", "time '12:00'", "1::money", "1::oid", "row(1, 2)", "'a'::tsvector", "'1.2.3.4'::inet",
    "int4range(1, 2)", "array[1.5]", "array[gen_random_uuid()]", "b'1'",
)  # fmt: skip


@pytest.fixture
def server(empty_database: str, cluster: Cluster) -> Server:
    return server_of("postgres", cluster.url(str(conninfo_to_dict(empty_database)["dbname"]), tcp=True))


def ask(server: Server, sql: str, limits: QueryLimits = TIGHT, **more: object) -> pl.DataFrame:
    with Sandbox(limits) as sandbox:
        return sandbox.ask(sql, {}, engine="postgres", server=server, **more)  # type: ignore[arg-type]


def test_values_come_exact(server: Server) -> None:
    got = ask(
        server,
        "select 0.1::numeric + 0.2 as n, 12.5::numeric(20, 3) as p, null::numeric as z, -7::int2 as i, 9007199254740993 as l, "
        "'12345678-1234-5678-1234-567812345678'::uuid as u, '{\"a\": 1}'::jsonb as j, true as b, '\\x00ff'::bytea as y, "
        "timestamptz '2026-01-01 12:00:00.123456+02' as t, timestamp '2026-01-01' as s, date '2024-02-29' as d, "
        "array[1, null] as a, array['x']::text[] as ts, 1.5::float4 as f, 'c '::char(3) as c, null as e;",
    )
    assert got.schema == {
        "n": pl.Decimal(38, 1), "p": pl.Decimal(20, 3), "z": pl.Decimal(38, 0), "i": pl.Int16, "l": pl.Int64, "u": pl.String,
        "j": pl.String, "b": pl.Boolean, "y": pl.Binary, "t": pl.Datetime("us", "UTC"), "s": pl.Datetime("us"), "d": pl.Date,
        "a": pl.List(pl.Int32), "ts": pl.List(pl.String), "f": pl.Float32, "c": pl.String, "e": pl.String,
    }  # fmt: skip
    assert got.row(0) == (
        Decimal("0.3"), Decimal("12.500"), None, -7, 9007199254740993, "12345678-1234-5678-1234-567812345678", '{"a": 1}', True,
        b"\x00\xff", datetime(2026, 1, 1, 10, 0, 0, 123456, UTC), datetime(2026, 1, 1), date(2024, 2, 29), [1, None],
        ["x"], 1.5, "c  ", None,
    )  # fmt: skip


def test_decimals_without_a_scale_have_the_longest_of_theirs(server: Server) -> None:
    nines = "9" * 35
    sql = f"select x::numeric from (values ('1'), ('-22.125'), ('0.5'), (null), ('{nines}')) as v (x)"
    got = ask(server, sql)["x"]
    assert got.dtype == pl.Decimal(38, 3)
    assert got.to_list() == [1, Decimal("-22.125"), Decimal("0.5"), None, Decimal(nines)]
    with pytest.raises(BadInput, match="column x holds more than 38 digits"):
        ask(server, sql.replace("'1'", "'0.1234'"))


@pytest.mark.parametrize("value", UNSHOWN)
def test_a_type_that_an_answer_has_not_is_refused_before_its_rows(server: Server, value: str) -> None:
    with pytest.raises(BadInput, match="column x is of type .*, which an answer has not; cast it to text"):
        ask(server, f"select {value} as x")
    assert ask(server, f"select ({value})::text as x").height == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("'NaN'::numeric", "NaN or Infinity"), ("'-Infinity'::numeric", "NaN or Infinity"),
        ("date 'infinity'", "infinity or a year"),
        ("timestamptz '-infinity'", "infinity or a year"), ("date '0044-03-15 BC'", "infinity or a year"),
        ("array[timestamp '12026-01-01']", "infinity or a year"), ("1 as x, 2", "several columns are called x"),
    ],
)  # fmt: skip
def test_a_value_that_an_answer_cannot_hold_is_refused(server: Server, value: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ask(server, f"select {value} as x")


def test_parameters_are_values_and_never_sql(server: Server) -> None:
    hostile = "\\'; drop table t; -- '' \" %s $1"
    params = {"a": hostile, "n": 2, "none": None}
    sql = (
        "with recursive r as (select 1 as k union all select k + 1 from r where k < 3) select k, a, none from r, params"
    )
    sql += " where k = n"
    assert ask(server, sql, params=params).rows() == [(2, hostile, None)]


def test_a_database_where_backslashes_escape_reads_the_same_values(server: Server, empty_database: str) -> None:
    with psycopg.connect(empty_database) as owner:
        name = conninfo_to_dict(empty_database)["dbname"]
        owner.execute(f'alter database "{name}" set standard_conforming_strings = off'.encode())
    hostile = "\\' || (select 'read'::text) --"
    assert ask(server, "select a from params", params={"a": hostile}).item() == hostile


def test_who_answered_and_how_is_told(server: Server) -> None:
    with Sandbox(TIGHT) as sandbox:
        sandbox.ask("(select count(*) as n from pg_class)", {}, engine="postgres", server=server)
        assert sandbox.plan.startswith("Aggregate")
        assert "Scan" in sandbox.plan
        assert sandbox.engine.startswith("PostgreSQL ")
        assert landlock_version() < 4 or sandbox.missing == ()


@pytest.mark.parametrize(
    ("sql", "error", "said"),
    [
        ("select nope from pg_class", BadInput, 'column "nope" does not exist'),
        ("select from where", BadInput, "syntax error"),
        ("select 1; select 2", BadInput, "only one"),
        ("select 1) to stdout; drop table x; copy (select 1", BadInput, "syntax"),
        ("select $1", BadInput, "parameter"), ("select where false", BadInput, "no column"),
        ("with x as (insert into t values (2) returning id) select * from x", NotAllowed, "only reads"),
        ("select nextval('s')", NotAllowed, "only reads"),
        ("select * into u from t", (BadInput, NotAllowed), "refuses|only reads"),
    ],
)  # fmt: skip
def test_what_is_no_single_question_is_refused(
    server: Server, empty_database: str, sql: str, error: type[Exception], said: str
) -> None:
    with psycopg.connect(empty_database) as owner:
        owner.execute("create table t as select 1 as id")
        owner.execute("create sequence s")
    with pytest.raises(
        (error, PhaseFailed) if "set_config" in sql else error, match=said.replace("one statement", "only one")
    ):
        ask(server, sql)
    with psycopg.connect(empty_database) as owner:
        assert owner.execute("select count(*), to_regclass('u') from t").fetchone() == (1, None)


@pytest.mark.parametrize(
    "sql",
    [
        "select x::int as y from (values ('canary-7f3a')) as v (x)",
        "select 1 / (5000 - x) as y, 'canary-7f3a' from generate_series(1, 6000) as x",
        "select ('{\"a\": \"canary-7f3a' || '}')::json as y from pg_class",
        # Of the classes that a wrong name in the SQL has, and said of a value all the same.
        "select ('canary_7f3a' || relname)::regclass::text as y from pg_class",
        "select to_tsquery('canary | | ' || relname)::text as y from pg_class",
    ],
)
def test_what_is_said_of_a_value_is_not_kept(server: Server, sql: str) -> None:
    with pytest.raises(PhaseFailed, match="may quote data and is not kept") as caught:
        ask(server, sql)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "limit"),
    [
        ("select * from generate_series(1, 1001) as x", "rows"),
        ("select md5(x::text) || repeat(md5(x::text), 200) as x from generate_series(1, 900) as x", "result_mb"),
        ("select repeat(md5(x::text), 3000000) as x from generate_series(1, 100) as x", "memory_mb"),
    ],
)
def test_a_bomb_ends_at_its_limit(server: Server, sql: str, limit: str) -> None:
    with pytest.raises(QueryLimitExceeded) as caught:
        ask(server, sql)
    assert caught.value.data["limit"] == limit


def test_only_the_rows_that_are_wanted_are_fetched(server: Server) -> None:
    assert ask(server, "select x from generate_series(1, 5000000) as x", first=3)["x"].to_list() == [1, 2, 3]


def test_a_login_with_less_time_keeps_its_limit(server: Server, empty_database: str) -> None:
    name = conninfo_to_dict(empty_database)["dbname"]
    with psycopg.connect(empty_database) as owner:
        owner.execute(f'alter database "{name}" set statement_timeout = 700'.encode())
    with pytest.raises(QueryLimitExceeded, match=r"0.7 s .* statement_timeout") as caught:
        ask(server, "select pg_sleep(60)::text as x")
    assert caught.value.data == {"limit": "statement_timeout", "value": "0.7 s"}


def still_asked(empty_database: str, words: str) -> int:
    """Server processes that work on a query with these words."""
    with psycopg.connect(empty_database, autocommit=True) as owner:
        row = owner.execute(
            "select count(*) from pg_stat_activity where query like %s and state <> 'idle' and pid <> pg_backend_pid()",
            [f"%{words}%"],
        ).fetchone()
    assert row is not None
    return int(row[0])


def soon(true: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_query_ends_with_its_time_at_the_server_too(server: Server, empty_database: str) -> None:
    with pytest.raises(QueryLimitExceeded) as caught:
        ask(server, "select pg_sleep(600)::text as slow_4711", QueryLimits(seconds=4))
    assert caught.value.data["limit"] == "seconds"
    assert soon(lambda: still_asked(empty_database, "slow_4711") == 0)


def test_a_canceled_query_ends_at_the_server_too(server: Server, empty_database: str) -> None:
    begun = threading.Event()

    def canceled() -> bool:
        # Asked twenty times a second; a look at the server each time would be most of what it does.
        if not begun.is_set() and time.monotonic() > next_look[0]:
            next_look[0] = time.monotonic() + 0.3
            if still_asked(empty_database, "slow_4712"):
                begun.set()
        return begun.is_set()

    next_look = [0.0]
    with pytest.raises(RunCanceled):
        ask(server, "select pg_sleep(600)::text as slow_4712", canceled=canceled)
    assert begun.is_set()
    assert soon(lambda: still_asked(empty_database, "slow_4712") == 0)


def test_a_query_does_not_outlive_its_asker_at_the_server(server: Server, empty_database: str) -> None:
    code = (
        "import sys\nfrom pipelines.sandbox.process import Sandbox\nfrom pipelines.sandbox.servers.address import server_of\n"
        "Sandbox().ask('select pg_sleep(600)::text as slow_4713', {}, engine='postgres',"
        " server=server_of('postgres', sys.stdin.read()))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    asker = subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, text=True)
    try:
        assert asker.stdin is not None
        asker.stdin.write(server.address)
        asker.stdin.close()
        assert soon(lambda: still_asked(empty_database, "slow_4713") == 1, 30)
    finally:
        asker.send_signal(signal.SIGKILL)
        asker.wait()
    assert soon(lambda: still_asked(empty_database, "slow_4713") == 0)


def test_a_server_that_is_not_there_or_refuses_the_login_is_told_apart(server: Server) -> None:
    given = conninfo_to_dict(server.address)
    wrong = {**given, "password": "wrong-7f3a"}
    with pytest.raises(NotAllowed, match="refuses the login") as caught:
        ask(server_of("postgres", " ".join(f"{key}='{value}'" for key, value in wrong.items())), "select 1 as x")
    assert "wrong-7f3a" not in str(caught.value)
    with pytest.raises(NotAllowed, match="does not exist"):
        ask(server_of("postgres", f"{server.address} dbname=nowhere_7f3a"), "select 1 as x")
    with pytest.raises(SourceUnreachable, match="does not answer"):
        ask(server_of("postgres", f"{server.address} port=1"), "select 1 as x")


@pytest.mark.skipif(landlock_version() < 4, reason="the kernel's Landlock knows no network")
def test_the_process_connects_to_that_port_and_no_other(server: Server) -> None:
    elsewhere = Server(server.address, (1,))
    with pytest.raises(SourceUnreachable, match="Permission denied"):
        ask(elsewhere, "select 1 as x")
