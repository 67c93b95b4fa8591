"""Questions and answers as a page shows them, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import polars as pl
import pytest

from dashboard.views.answers import COUNTED, KINDS, PAGE, Drawing, axes, chart, csv_of, page, proposed
from dashboard.views.queries import (
    ADVICES,
    LONGEST,
    first_question,
    kept_back,
    masked_words,
    past_lines,
    run_named,
    sources,
    tables_by_layer,
    verdict,
)
from ops.errors import all_errors
from ops.model import RunId, RunStatus
from ops.query_reads import AskedQuestion, LakeTable
from ops.warehouse import QueryRow
from tests.dashboard.test_views import NOW

QUESTION = AskedQuestion(
    RunId(UUID(int=1)), UUID(int=2), "acme", "books", "dev", "select 1", {}, "embedded", "ada", RunStatus.SUCCEEDED,
    NOW - timedelta(seconds=10), NOW - timedelta(seconds=8), NOW - timedelta(seconds=6), 1204, None, False, {},
    {"gold.sales": 3, "gold.sales@v2": 2}, None, None, NOW,
)  # fmt: skip
PAST = QueryRow(
    UUID(int=1), "acme", "books", "dev", "select  *\nfrom gold.sales", {}, "embedded", None, "succeeded", NOW, NOW, NOW,
    1500.0, 1204, UUID(int=7), False, None, None,
)  # fmt: skip
FRAME = pl.DataFrame(
    {
        "day": [date(2026, 1, 1), date(2026, 1, 2)],
        "shop.name": ["north", None],
        "amount": [Decimal("1204.50"), Decimal("-3.00")],
        "tags": [["a"], []],
    }
)


@pytest.mark.parametrize(
    ("question", "word", "said", "advice"),
    [
        (replace(QUESTION, status=RunStatus.QUEUED), "queued", "It waits for an executor. It has waited 10 s.", ""),
        (replace(QUESTION, status=RunStatus.RUNNING), "running", "Running for 8.0 s.", ""),
        (QUESTION, "succeeded", "1,204 rows in 2.0 s.", ""),
        (replace(QUESTION, status=RunStatus.CANCELED), "canceled", "Canceled after 2.0 s.", "Run it again to go on."),
        (
            replace(QUESTION, status=RunStatus.FAILED, error_code="BAD_INPUT", error_message="no column x"),
            "failed", "no column x (BAD_INPUT)", "Correct what is named and run it again.",
        ),
    ],
)  # fmt: skip
def test_a_question_says_how_it_stands_and_what_to_do(
    question: AskedQuestion, word: str, said: str, advice: str
) -> None:
    found = verdict(question)
    assert (found.word, found.said, found.advice) == (word, said, advice)


def test_what_it_waits_for_is_told_where_it_is_known() -> None:
    said = verdict(replace(QUESTION, status=RunStatus.QUEUED), "cap few is full").said
    assert said == "Cap few is full. It has waited 10 s."


def test_advice_is_of_errors_that_there_are() -> None:
    assert set(ADVICES) <= set(all_errors())


def test_where_an_answer_comes_from_and_what_is_kept_back() -> None:
    assert sources(QUESTION) == "gold.sales version 3, gold.sales version 2"
    assert masked_words({}) == ""
    assert masked_words({"gold.people@v2": ["mail", "name"]}).startswith("gold.people: mail, name read as null")


def test_a_line_of_the_history_says_where_its_answer_came_from() -> None:
    cached, failed, long = past_lines(
        [
            PAST,
            replace(PAST, cached_from=None, ms=None, rows=None, error_code="BAD_INPUT"),
            replace(PAST, sql="x" * 900, cached_from=None, engine="trino"),
        ],
        NOW,
    )
    assert (cached.sql, cached.took, cached.rows) == ("select * from gold.sales", "1.5 s", "1,204")
    assert cached.badge == "from the cache of run 000000000007"
    assert (failed.badge, failed.took, failed.rows) == ("BAD_INPUT", "", "")
    assert (len(long.sql), long.badge) == (LONGEST + 2, "engine trino")


def test_an_answer_that_is_kept_back_says_why() -> None:
    personal = replace(QUESTION, personal=True)
    assert "Run the question yourself" in kept_back(personal)
    assert "Ask one of them" in kept_back(replace(personal, engine="postgres"))
    assert "not kept any more" in kept_back(QUESTION)


def test_tables_stand_by_layer_with_their_columns() -> None:
    sales = LakeTable(
        UUID(int=3), "gold", "sales", 3, 12, {"month": "date", "mail": "string", "_run": "string"}, ["mail"]
    )
    layers = dict(tables_by_layer([sales, replace(sales, layer="silver", name="orders")]))
    assert list(layers) == ["gold", "silver"]
    [line] = layers["gold"]
    assert line.name == "gold.sales"
    # Columns of lineage are nobody's question.
    assert line.columns == (("month", "date", False), ("mail", "string", True))
    assert first_question([sales]) == "select *\nfrom gold.sales\nlimit 100"
    assert first_question([]) == ""


def test_an_address_names_a_run_or_none() -> None:
    assert run_named(str(UUID(int=1))) == RunId(UUID(int=1))
    assert run_named("x") is run_named(None) is None


def test_cells_read_as_people_write_and_null_is_no_empty_text() -> None:
    values = pl.DataFrame(
        {
            "i": [12345, None], "f": [0.1 + 0.2, 12345678.9], "b": [True, False], "t": ["", "x" * 900],
            "at": [datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2026, 1, 1, 5, 0, 0, 7, tzinfo=UTC)],
        }
    )  # fmt: skip
    shown = page(values, 0, 2)
    assert shown.rows[0] == ("12,345", "0.3", "true", "", "2026-01-01 05:00:00+00:00")
    assert shown.rows[1][4] == "2026-01-01 05:00:00.000007+00:00"
    assert (shown.rows[1][0], shown.rows[1][1], len(shown.rows[1][3] or "")) == (None, "12,345,678.9", 202)
    assert shown.numbers == (True, True, False, False, False)
    assert page(FRAME, 0, 2).rows[1] == ("2026-01-02", None, "-3.00", "[]")


def test_a_page_says_which_rows_it_has() -> None:
    long = pl.DataFrame({"n": range(250)})
    assert page(long, 0, 250).said == "Rows 1 to 100 of 250."
    assert page(long, 200, 9000).said == "Rows 201 to 250 of 9,000; the first 250 can be looked at, a download has all."
    assert len(page(long, 0, 250).rows) == PAGE
    assert [page(long.head(n), 0, n).said for n in (0, 1, 2)] == ["No row.", "One row.", "All 2 rows."]


def test_what_one_would_draw_is_proposed() -> None:
    assert proposed(FRAME) == Drawing("line", "day", "amount")
    assert proposed(FRAME.drop("day")) == Drawing("bars", "shop.name", "amount")
    assert proposed(FRAME.select("amount")) == Drawing("points", "amount", COUNTED)
    assert proposed(FRAME.select("tags")) is proposed(FRAME.clear()) is None
    assert axes(FRAME) == (["day", "shop.name", "amount"], ["amount", COUNTED])


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_is_drawn_of_columns_whatever_their_names(kind: str) -> None:
    drawn = chart(FRAME, Drawing(kind, "shop.name", "amount", "day")).to_dict()
    assert drawn["encoding"]["x"] == {"field": "c0", "title": "shop.name", "type": "nominal"}
    assert drawn["encoding"]["y"]["field"] == "c1"
    assert drawn["encoding"]["y"].get("aggregate") == ("sum" if kind in ("bars", "area") else None)
    [values] = drawn["datasets"].values()
    assert [each["c1"] for each in values] == [1204.5, -3.0]


def test_rows_are_counted_where_there_is_no_number() -> None:
    drawn = chart(FRAME, Drawing("bars", "shop.name", COUNTED)).to_dict()
    assert drawn["encoding"]["y"]["aggregate"] == "count"


def test_a_download_has_a_line_a_row() -> None:
    assert csv_of(FRAME).decode().splitlines() == [
        "day,shop.name,amount,tags", '2026-01-01,north,1204.50,"[""a""]"', "2026-01-02,,-3.00,[]",
    ]  # fmt: skip
