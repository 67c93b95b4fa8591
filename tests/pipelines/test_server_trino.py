"""Trino as an engine: its own client against a stand-in that speaks the protocol; no real coordinator is asked here."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from compute import family
from ops.errors import (
    BadInput,
    NotAllowed,
    PhaseFailed,
    QueryLimitExceeded,
    RunCanceled,
    SourceUnreachable,
)  # fmt: skip
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.process import Sandbox
from pipelines.sandbox.servers.address import server_of
from tests.pipelines.trino_server import Coordinator, Script, coordinator

LIMITS = QueryLimits(memory_mb=768, seconds=30, rows=1000, result_mb=2)
TYPES: dict[str, tuple[str, object, object, pl.DataType]] = {
    "b": ("boolean", True, True, pl.Boolean()),
    "i": ("bigint", 9007199254740993, 9007199254740993, pl.Int64()),
    "t": ("tinyint", -7, -7, pl.Int8()),
    "f": ("double", "NaN", float("nan"), pl.Float64()),
    "d": ("decimal(20,3)", "12.500", Decimal("12.500"), pl.Decimal(20, 3)),
    "v": ("varchar(10)", "x", "x", pl.String()),
    "y": ("varbinary", "AP8=", b"\x00\xff", pl.Binary()),
    "day": ("date", "2024-02-29", date(2024, 2, 29), pl.Date()),
    "s": ("timestamp(6)", "2026-01-01 12:00:00.123456", datetime(2026, 1, 1, 12, 0, 0, 123456), pl.Datetime("us")),
    "z": ("timestamp(3) with time zone", "2026-01-01 12:00:00.123 Europe/Berlin",
          datetime(2026, 1, 1, 11, 0, 0, 123000, UTC), pl.Datetime("us", "UTC")),
    "u": ("uuid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678", pl.String()),
    "j": ("json", '{"a":1}', '{"a":1}', pl.String()),
    "a": ("array(decimal(4,1))", ["1.5", None], [Decimal("1.5"), None], pl.List(pl.Decimal(4, 1))),
    "r": ("row(k bigint,at timestamp(0) with time zone)", [1, "2026-01-01 00:00:00 +02:00"],
          {"k": 1, "at": datetime(2025, 12, 31, 22, tzinfo=UTC)}, pl.Struct({"k": pl.Int64(), "at": pl.Datetime("us", "UTC")})),
    "m": ("map(varchar,array(integer))", {"a": [1]}, [{"key": "a", "value": [1]}],
          pl.List(pl.Struct({"key": pl.String(), "value": pl.List(pl.Int32())}))),
    "n": ("unknown", None, None, pl.String()),
}  # fmt: skip


@pytest.fixture
def trino() -> Iterator[Coordinator]:
    with coordinator() as running:
        yield running


def ask(trino: Coordinator, sql: str, limits: QueryLimits = LIMITS, **more: object) -> pl.DataFrame:
    with Sandbox(limits) as sandbox:
        return sandbox.ask(sql, {}, engine="trino", server=server_of("trino", trino.address), **more)  # type: ignore[arg-type]


def test_an_answer_comes_in_pages_and_says_who_gave_it(trino: Coordinator) -> None:
    trino.scripts["orders"] = Script({"x": "integer", "who": "varchar"}, [[], [[1, "a"], [2, None]], [], [[3, "ü"]]])
    trino.busy = 1
    with Sandbox(LIMITS) as sandbox:
        got = sandbox.ask("select * from orders;", {}, engine="trino", server=server_of("trino", trino.address))
        assert got.rows() == [(1, "a"), (2, None), (3, "ü")]
        assert sandbox.plan == "Output[columnNames = [x]]\n\n└─ TableScan"
        assert sandbox.engine == "Trino 476-stand-in"
    assert trino.asked == ["explain (type logical) select * from orders\n", "select * from orders\n"]
    headers = {name.lower(): value for name, value in trino.headers[1].items()}
    assert (headers["x-trino-user"], headers["x-trino-catalog"], headers["x-trino-schema"]) == ("tester", "hive", "web")
    assert (headers["x-trino-time-zone"], headers["x-trino-session"]) == ("UTC", "query_max_run_time=35s")
    assert trino.deleted == []


def test_values_come_exact(trino: Coordinator) -> None:
    row = [given for _, given, _, _ in TYPES.values()]
    trino.scripts["kinds"] = Script({name: kind for name, (kind, *_) in TYPES.items()}, [[row, [None] * len(row)]])
    got = ask(trino, "select * from kinds")
    assert dict(got.schema) == {name: dtype for name, (_, _, _, dtype) in TYPES.items()}
    first = got.row(0, named=True)
    assert str(first.pop("f")) == "nan"
    assert first == {name: expected for name, (_, _, expected, _) in TYPES.items() if name != "f"}
    assert set(got.row(1)) == {None}


@pytest.mark.parametrize(
    "kind",
    ["time(3)", "interval day to second", "timestamp(9)", "timestamp(12) with time zone", "hyperloglog", "array(time(0))",
     "row(a interval year to month)", "map(varchar,geometry)"],
)  # fmt: skip
def test_a_type_that_an_answer_has_not_is_refused(trino: Coordinator, kind: str) -> None:
    trino.scripts["odd"] = Script({"ok": "bigint", "odd": kind}, [[]], endless=True)
    with pytest.raises(BadInput, match=r"column odd is of type .*, which an answer has not; cast it to varchar"):
        ask(trino, "select odd")
    assert trino.wait("deleted")


def test_parameters_are_a_table_before_the_rest(trino: Coordinator) -> None:
    ask(trino, "with a as (select 1) select * from a, params", params={"who": "o'hara", "n": 3})
    row = "params as (select 'o''hara' as \"who\", 3 as \"n\")"
    assert trino.asked[1] == f"with {row}, a as (select 1) select * from a, params\n"


def failure(kind: str, name: str, message: str, line: int | None = None) -> Script:
    location = {"errorLocation": {"lineNumber": line, "columnNumber": 8}} if line else {}
    return Script(error={"errorType": kind, "errorName": name, "errorCode": 1, "message": message, **location})


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        (failure("USER_ERROR", "SYNTAX_ERROR", "line 2:8: mismatched input 'fro'", 2), BadInput, "line 2:8: mismatched"),
        (failure("USER_ERROR", "COLUMN_NOT_FOUND", "line 1:8: Column 'x' cannot be resolved", 1), BadInput, "Column 'x'"),
        (failure("USER_ERROR", "INVALID_CAST_ARGUMENT", "Cannot cast 'canary-7f3a' to INT"), PhaseFailed, "INVALID_CAST"),
        (failure("USER_ERROR", "PERMISSION_DENIED", "Access Denied: Cannot select from t"), NotAllowed, "Cannot select from t"),
        (failure("INSUFFICIENT_RESOURCES", "EXCEEDED_TIME_LIMIT", "canary-7f3a"), QueryLimitExceeded, "ran longer than"),
        (failure("INSUFFICIENT_RESOURCES", "EXCEEDED_GLOBAL_MEMORY_LIMIT", "canary-7f3a"), PhaseFailed, "EXCEEDED_GLOBAL"),
        (failure("EXTERNAL", "HIVE_BAD_DATA", "canary-7f3a"), PhaseFailed, "HIVE_BAD_DATA"),
        (failure("INTERNAL_ERROR", "GENERIC_INTERNAL_ERROR", "canary-7f3a"), PhaseFailed, "query q"),
        (Script({"x": "date"}, [[["canary-7f3a"]]]), BadInput, "beyond what a client can hold"),
        (Script({"x": "integer"}, [[["canary-7f3a"]]]), BadInput, "beyond what a client can hold"),
        (Script({"x": "bigint", "X": "bigint"} | {}, [[[1, 2]]]), None, ""),
    ],
)  # fmt: skip
def test_what_a_server_says_is_typed_and_quotes_no_data(
    trino: Coordinator, script: Script, error: type[Exception] | None, said: str
) -> None:
    trino.scripts["it"] = script
    if error is None:
        assert ask(trino, "select it").columns == ["x", "X"]
        return
    with pytest.raises(error, match=said) as caught:
        ask(trino, "select it")
    assert "canary-7f3a" not in str(caught.value)


def test_a_server_that_is_not_there_or_refuses_the_login_is_told_apart(trino: Coordinator) -> None:
    trino.logins["somebody"] = "else"
    with pytest.raises(NotAllowed, match="refuses the login of its address .HTTP 401."):
        ask(trino, "select 1")
    trino.logins.clear()
    trino.busy = 1000
    with pytest.raises(SourceUnreachable, match="HTTP 503"):
        ask(trino, "select 1")
    trino.port, listening = 1, trino.port
    with pytest.raises(SourceUnreachable, match="does not answer"):
        ask(trino, "select 1")
    trino.port = listening


def test_a_password_goes_with_each_request_and_into_no_error(trino: Coordinator) -> None:
    """Addresses with one must begin with https://; the stand-in has no certificate, so that the check is gone round here."""
    from pipelines.sandbox.servers.address import Server

    trino.logins["tester"] = "pw-7f3a"
    trino.scripts["it"] = Script(pages=[[[1]]], endless=True)
    server = Server(trino.address.replace("tester@", "tester:pw-7f3a@"), (trino.port,))
    with Sandbox(LIMITS) as sandbox:
        assert sandbox.ask("select it", {}, engine="trino", server=server, first=1).height == 1
    assert base64.b64decode(trino.headers[1]["Authorization"].removeprefix("Basic ")) == b"tester:pw-7f3a"
    assert trino.wait("deleted")


ENDLESS = Script(pages=[[]], endless=True)


@pytest.mark.parametrize("spools", [False, True], ids=["what comes next", "rows"])
def test_the_login_is_sent_nowhere_but_to_its_server(trino: Coordinator, spools: bool) -> None:
    with coordinator() as other:
        trino.points_to, trino.spools = f"http://127.0.0.1:{other.port}", spools
        with pytest.raises(SourceUnreachable, match="spool" if spools else "another scheme, host or port"):
            ask(trino, "select * from orders")
        assert trino.wait("reached")
        assert other.reached == []


def test_a_query_ends_with_its_time_at_the_server_too(trino: Coordinator) -> None:
    trino.scripts["endless"] = ENDLESS
    with pytest.raises(QueryLimitExceeded) as caught:
        ask(trino, "select endless", QueryLimits(seconds=4))
    assert caught.value.data["limit"] == "seconds"
    assert trino.wait("deleted")
    assert trino.deleted == ["select endless\n"]


def test_a_canceled_query_ends_at_the_server_too(trino: Coordinator) -> None:
    trino.scripts["endless"] = ENDLESS
    with pytest.raises(RunCanceled):
        ask(trino, "select endless", canceled=lambda: "select endless\n2" in trino.polled)
    assert trino.wait("deleted")
    assert trino.deleted == ["select endless\n"]


def test_what_ends_a_canceled_phase_tells_the_server_too(trino: Coordinator) -> None:
    """An executor kills the phase's process and all that stems from it, at once."""
    trino.scripts["endless"] = ENDLESS
    code = (
        "import sys\nfrom pipelines.sandbox.process import Sandbox\nfrom pipelines.sandbox.servers.address import server_of\n"
        f"Sandbox().ask('select endless', {{}}, engine='trino', server=server_of('trino', {trino.address!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    asker = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True)
    try:
        assert trino.wait("polled", 4, 40)
    finally:
        family.end(asker.pid)
        asker.wait()
    assert trino.wait("deleted")
    assert trino.deleted == ["select endless\n"]


def test_only_the_rows_that_are_wanted_are_fetched(trino: Coordinator) -> None:
    trino.scripts["many"] = Script(pages=[[[1], [2]], [[3], [4]]], endless=True)
    assert ask(trino, "select many", first=3)["x"].to_list() == [1, 2, 3]
    assert trino.wait("deleted")


@pytest.mark.parametrize(
    ("script", "limit"),
    [
        (Script(pages=[[[number] for number in range(600)]] * 3), "rows"),
        (Script({"x": "varchar"}, [[["x" * 4000] for _ in range(900)]]), "result_mb"),
        (Script({"x": "varchar"}, [[["x" * 100_000] for _ in range(100)]] * 60), "memory_mb"),
    ],
)
def test_a_bomb_ends_at_its_limit(trino: Coordinator, script: Script, limit: str) -> None:
    trino.scripts["bomb"] = script
    with pytest.raises(QueryLimitExceeded) as caught:
        ask(
            trino,
            "select bomb",
            QueryLimits(memory_mb=512, seconds=60, rows=7000 if limit != "rows" else 1000, result_mb=2),
        )
    assert caught.value.data["limit"] == limit


def test_several_ask_at_once(trino: Coordinator) -> None:
    trino.scripts.update({f"n{number}\n": Script(pages=[[[number]]]) for number in range(3)})
    found: dict[int, int] = {}

    def one(number: int) -> None:
        found[number] = ask(trino, f"select n{number}").item()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(3)}
