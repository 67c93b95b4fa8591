"""What may be asked of a server: its first words, and parameters as a table before it."""

from __future__ import annotations

import pytest

from ops.errors import BadInput
from pipelines.sandbox.door import check
from pipelines.sandbox.servers.address import server_of
from pipelines.sandbox.servers.statement import LONGEST, one_select, with_params


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("select 1", "select 1"), ("  SELECT 1 ; ;\n", "SELECT 1"), ("-- why\nvalues (1)", "values (1)"),
        ("/* a */ (select 1) union select 2", "(select 1) union select 2"),
        ("( /* a */ with x as (select 1) select * from x)",) * 2,
        ("select '; drop' as x -- ;", "select '; drop' as x --"),
    ],
)  # fmt: skip
def test_a_select_is_asked_from_its_first_word_on(sql: str, asked: str) -> None:
    assert one_select(sql) == asked + "\n"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("", "there is no SQL"), (" -- nothing", "there is no SQL"), ("insert into t values (1)", "found: insert"),
        ("explain select 1", "found: explain"), ("(analyze) select 1", "found: analyze"), ("set role x", "found: set"),
        ("copy (select 1) to program 'x'", "found: copy"), (") select 1", r"found: \)"), ("do $$x$$", "found: do"),
        ("/* /* */ drop table x */", "found: drop"), ("call x()", "found: call"), ("select 'a\0'", "zero byte"),
        ("select '" + "x" * LONGEST + "'", "split it"), ("selected", "found: selected"),
    ],
)  # fmt: skip
def test_what_does_not_begin_as_a_select_is_refused(sql: str, found: str) -> None:
    with pytest.raises(BadInput, match=found):
        one_select(sql)
    with pytest.raises(BadInput, match=found):
        check(sql, "postgres")


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("select p.a from params p", 'with params as (select 7 as "a") select p.a from params p'),
        ("with x as (select 1) select * from x", 'with params as (select 7 as "a"), x as (select 1) select * from x'),
        ("WITH\n/* of it */ Recursive r as (select 1) select 2",
         'WITH\n/* of it */ Recursive params as (select 7 as "a"), r as (select 1) select 2'),
        ("with recursively as (select 1) select 2", 'with params as (select 7 as "a"), recursively as (select 1) select 2'),
        ("(select 1)", 'with params as (select 7 as "a") (select 1)'),
        # Postgres reads the whole of it as one comment, and so would what were put behind its "recursive".
        ("with /* a /* b */ recursive x */ y as (select 1) select 2",
         'with params as (select 7 as "a"), /* a /* b */ recursive x */ y as (select 1) select 2'),
    ],
)  # fmt: skip
def test_parameters_are_a_table_before_the_rest(sql: str, asked: str) -> None:
    assert " ".join(with_params(one_select(sql), {"a": 7}).split()) == " ".join(asked.split())


def test_values_are_literals() -> None:
    row = {"a": "it's \\' --", "b": None, "c": True, "d": -1.5, "e": 10**30, "f": 1e-7}
    said = with_params("select 1", row)
    assert said == (
        'with params as (select \'it\'\'s \\\'\' --\' as "a", null as "b", true as "c", -1.5 as "d", '
        '1000000000000000000000000000000 as "e", 1e-07 as "f") select 1'
    )
    for value in (float("nan"), float("inf"), "a\0", [1], b"x"):
        with pytest.raises(BadInput, match="parameter x is a"):
            with_params("select 1", {"x": value})


@pytest.mark.parametrize(
    ("engine", "address", "ports"),
    [
        ("postgres", "postgresql://me:pw-of-it@db.example:6543/gold", (6543,)),
        ("postgres", "host=a,b port=1,2 dbname=x", (1, 2)),
        ("postgres", "postgresql://me@db.example/gold", (5432,)), ("postgres", "host=/tmp dbname=x", ()),
        ("trino", "https://me:pw-of-it@trino.example/hive", (443,)), ("trino", "http://me@trino.example/hive/web", (8080,)),
        ("trino", "https://me@trino.example:8443/hive\n", (8443,)),
    ],
)  # fmt: skip
def test_an_address_says_where_may_be_connected_to_and_shows_nothing_else(
    engine: str, address: str, ports: tuple[int, ...]
) -> None:
    server = server_of(engine, address)
    assert server.ports == ports
    assert "pw-of-it" not in repr(server)


@pytest.mark.parametrize(
    ("engine", "address"),
    [
        ("postgres", "mysql://me:pw-of-it@x/y"), ("postgres", "postgresql://me:pw-of-it@x:port/y"), ("postgres", "pw-of-it"),
        ("trino", "trino://me:pw-of-it@x/y"), ("trino", "https://me:pw-of-it@x"), ("trino", "https://me:pw-of-it@x:port/y"),
        ("trino", "https://x/a/b/c"), ("trino", "http://me:pw-of-it@x/y"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_and_not_told(engine: str, address: str) -> None:
    with pytest.raises(BadInput, match=f"address of the engine {engine}") as caught:
        server_of(engine, address)
    assert "pw-of-it" not in str(caught.value)
