"""What the embedded engine does not take is refused in one line that says what to write, and that works."""

from __future__ import annotations

import polars as pl
import pytest

from ops.errors import BadInput
from pipelines.frames import polars_errors, query

FRAMES = {
    "t": pl.LazyFrame({"id": [1, 2, 3], "k": ["a", "b", "b"], "v": [1.0, 2.0, None]}),
    "u": pl.LazyFrame({"id": [1, 3, 4], "k": ["a", "a", "a"], "w": [5, 6, 7]}),
}
# What is refused, words of the way out, that way.
WAYS = [
    (
        "select id, sum(v) over (order by id range between 1 preceding and current row) as s from t", "use ROWS",
        "select id, sum(v) over (order by id rows between 1 preceding and current row) as s from t",
    ),
    (
        "select id from t where (id, k) in (select id, k from u)", "exists",
        "select id from t where exists (select 1 from u where u.id = t.id and u.k = t.k)",
    ),
    ("select id from t where k similar to 'a%'", "regexp_like", "select id from t where regexp_like(k, '^a')"),
    (
        "select overlay(k placing 'x' from 1 for 1) as x from t", "substring",
        "select 'x' || substring(k from 2) as x from t",
    ),
    (
        "select id from t where exists (select 1 from u where u.id = t.id group by u.id having count(*) > 0)", "IN",
        "select id from t where id in (select id from u group by id having count(*) > 0)",
    ),
    ("select id from t where k like 'a!%' escape '!'", "strpos", "select id from t where strpos(k, 'a') = 1"),
    ("select id from t where k like any ('a%', 'b%')", "OR", "select id from t where k like 'a%' or k like 'b%'"),
    ("select id from t fetch first 10 percent rows only", "LIMIT", "select id from t limit 1"),
    (
        "select lead(v) ignore nulls over (order by id) as l from t", "WITH",
        "with w as (select * from t where v is not null) select lead(v) over (order by id) as l from w",
    ),
    ("select interval '1 month' as x from t", "date", "select date '2026-01-31' + interval '1 month' as x from t"),
    (
        "select t.id, x.w from t cross join (select w from u where u.id = t.id) as x", "join",
        "select t.id, u.w from t join u on u.id = t.id",
    ),
]  # fmt: skip


def asked(sql: str) -> pl.DataFrame:
    with polars_errors("sql"):
        return query(FRAMES, sql, {}).collect(engine="streaming")


@pytest.mark.parametrize(("sql", "words", "instead"), WAYS)
def test_a_refusal_says_what_to_write_and_that_is_taken(sql: str, words: str, instead: str) -> None:
    with pytest.raises(BadInput) as caught:
        asked(sql)
    said = str(caught.value)
    assert words in said.rpartition("; ")[2]
    assert "\n" not in said
    assert "Ident {" not in said
    assert len(said) < 330
    assert asked(instead).height


def test_a_slip_of_the_pen_gets_no_advice_about_the_engine() -> None:
    with pytest.raises(BadInput) as caught:
        asked("select id t from t t t")
    assert "another way" not in str(caught.value)
