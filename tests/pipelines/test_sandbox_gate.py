"""The gate refuses every way out that is known, and lets honest SQL through. Nothing is opened while it decides."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import polars as pl
import pytest

from ops.errors import BadInput
from pipelines.frames import condition, query
from pipelines.sandbox.gate import MOST_OPERATORS, admit, admit_condition
from pipelines.sandbox.tokens import render, tokens
from pipelines.sandbox.words import FUNCTIONS
from pipelines.spec_code import condition_fault, sql_fault
from tests.pipelines.sandbox_attempts import READERS, attempts
from tests.pipelines.sandbox_lake import CANARY, Ground, ground

HONEST = [
    "select t.id, u.amount from t join u on t.id = u.id where u.amount > 1 order by t.id desc nulls last limit 2 offset 1",
    "select t.id from t left join u using (id) where u.id is null",
    "select name, count(*) as n, sum(id) filter (where id > 1) as s from t group by name having count(*) > 0",
    "select id, row_number() over (partition by name order by id) as n from t qualify n = 1",
    "with a as (select id from t), b as (select id from a where id > 1) select * from a union all select * from b",
    "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select * from r",
    "select id from t union select id from u", "select id from t intersect select id from u",
    "select id from t except select id from u",
    "select case when id = 1 then 'one' when id in (2, 3) then 'few' else 'many' end as k from t",
    "select cast(id as varchar) as v, id::double / 3 as d, try_cast(name as int) as i from t",
    "select date_trunc('month', born) as m, extract(year from born) as y, born - interval '1 day' as p from t",
    "select date '2020-02-29' as d, now() > timestamp '2020-01-01 00:00:00' as later from t",
    "select * from t where (name is distinct from 'a') and born between date '1990-01-01' and date '1992-12-31'",
    "select * from t where id = (select max(id) from t)", "select * from t where exists (select 1 from u)",
    "select * from (select id from t) as x cross join (values (1), (2)) as v(k)", "select distinct name from t",
    "select * exclude (name) from t", "select name || '-' || upper(name) as x, coalesce(name, '?') as y from t -- a comment",
    "select substring(name from 1 for 1) as s, trim(both ' ' from name) as c, name like 'a%' as l from t",
    "select 'read_csv(''x'')' as text, 1 as \"read_csv\" /* read_csv('x') */ from t;",
    "(select id from t)", 'select "t"."id" from "t"',
    "select t.id from t, u where t.id = u.id", "select g.value from generate_series(1, 3) as g(value)",
]  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("gate")) as made:
        yield made


def test_every_attempt_is_refused_before_anything_is_opened(here: Ground) -> None:
    opened: list[str] = []
    watching = [True]
    sys.addaudithook(lambda event, told: opened.append(str(told[0])) if watching[0] and event == "open" else None)
    tried = attempts(str(here.canary), str(here.canary.parent), here.url)
    passed = []
    for sql in tried:
        try:
            passed.append(admit(sql, ["t", "u"]).sql)
        except BadInput:
            continue
    watching[0] = False
    assert passed == []
    assert len(tried) >= 200
    assert here.hits == []
    assert not [name for name in opened if "canary" in name]


def test_the_canary_can_be_read_where_no_gate_stands(here: Ground) -> None:
    """Otherwise the test above would prove nothing."""
    frame = pl.SQLContext({"t": pl.LazyFrame({"id": [1]})}).execute(f"select * from read_csv('{here.canary}')")
    assert frame.collect()["a"].to_list() == [CANARY]
    # A condition's subquery is not computed, but what it names is opened: a way to learn which files there are.
    with pytest.raises(FileNotFoundError, match="nowhere"):
        pl.LazyFrame({"id": [1]}).filter(pl.sql_expr("id > (select b from read_csv('/nowhere.csv'))")).collect()


@pytest.mark.parametrize("door", ["spec", "transform"])
def test_other_doors_have_the_same_gate(here: Ground, door: str) -> None:
    for sql in attempts(str(here.canary), str(here.canary.parent), here.url):
        if door == "spec":
            assert sql_fault(sql, ["t", "u"]), sql
        else:
            with pytest.raises(BadInput):
                query({"t": pl.LazyFrame({"id": [1]}), "u": pl.LazyFrame({"id": [1]})}, sql, {})
    assert here.hits == []


@pytest.mark.parametrize("sql", HONEST)
def test_honest_sql_passes_and_means_the_same(sql: str) -> None:
    frames = {"t": pl.LazyFrame({"id": [1]}), "u": pl.LazyFrame({"id": [1]})}
    admitted = admit(sql, frames)
    assert set(admitted.relations) <= set(frames)
    assert sql_fault(sql, list(frames)) is None


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_engine_knows_each_function_of_the_list(name: str) -> None:
    if name in ("cast", "try_cast", "position", "overlay", "extract"):
        return  # written in another form than a call
    said = ""
    for arguments in ("id", "id, 1", "'a', 'b'", "id, 1, 1", "'a'"):
        try:
            pl.SQLContext({"t": pl.LazyFrame({"id": [1]})}).execute(
                f"select {name}({arguments}) from t"
            ).collect_schema()
        except pl.exceptions.PolarsError as error:
            said = str(error)
        else:
            return
    assert "unsupported function" not in said


@pytest.mark.parametrize(
    "sql",
    [
        "id in (select b from read_csv('x'))", "(select max(b) from read_csv('x')) > 1", "exists (select 1)",
        "id > 1; drop table t",
        "id > 1 union select 1", "(from t) > 1", "(values (1)) > 1", "read_csv('x')", "getenv('x') = 'y'", "(table t) > 1",
        "id > (with a as (select 1) select * from a)", "id > 1)", "extract(year from (select now())) > 1",
    ],
)  # fmt: skip
def test_a_condition_is_no_query(sql: str) -> None:
    assert condition_fault(sql)
    with pytest.raises(BadInput):
        condition(sql)


@pytest.mark.parametrize(
    "sql", ["id > 0 and state <> 'gone'", "extract(year from born) = 1990", "a is not distinct from b", "a in (1, 2)"]
)
def test_an_honest_condition_passes(sql: str) -> None:
    assert admit_condition(sql) == sql


@pytest.mark.parametrize(
    "sql",
    ["select 1" + " + 1" * 4000, "select 'a'" + " || 'a'" * 2000, "select 1" + " union all select 1" * 1000,
     "select " + "(" * 200 + "1" + ")" * 200,
     "select 1 where true" + " and true" * 5000, "select '" + "x" * 200_000 + "'", "select " + "[" * 60 + "1" + "]" * 60],
)  # fmt: skip
def test_what_ends_the_engines_process_is_refused(sql: str) -> None:
    with pytest.raises(BadInput):
        admit(sql)


def test_as_many_operators_as_are_taken_do_the_engine_no_harm() -> None:
    chain = "select 'a'" + " || 'a'" * MOST_OPERATORS + " as x from t"
    assert query({"t": pl.LazyFrame({"id": [1]})}, chain, {}).collect().item() == "a" * (MOST_OPERATORS + 1)


def test_comments_never_reach_the_engine() -> None:
    assert admit(r"select '\' from t -- ' from read_csv('x')").sql == r"select '\' from t"
    assert render(tokens("select/* a /* b */ */1 -- c\n,2")) == "select 1 ,2"


def test_an_unknown_reader_is_named_in_the_refusal() -> None:
    for reader in READERS:
        with pytest.raises(BadInput, match=f"function {reader} is not available"):
            admit(f"select * from {reader}('x')")


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
        ("select * from gold.a join silver.b on true, bronze.c", ("gold.a", "silver.b", "bronze.c")),
        ("with a as (select * from gold.x) select * from a", ("gold.x",)),
        (
            "with a(k) as (select 1), b as (select k from a) select * from b where k in (select id from gold.y)",
            ("gold.y",),
        ),
        ("select 'from gold.z', extract(year from d), d is distinct from e from gold.x", ("gold.x",)),
        ("select (select max(a) from gold.x), b from gold.y order by a, b", ("gold.x", "gold.y")),
    ],
)
def test_relations_are_found_where_they_stand(sql: str, relations: tuple[str, ...]) -> None:
    assert admit(sql).relations == relations
