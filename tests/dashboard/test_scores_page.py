"""Scores: charts and words without a page, then what-if in a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from playwright.sync_api import expect

from dashboard.views.charts import lost_frame, lost_points, score_frame, score_trend, signal_frame, signal_trend
from dashboard.views.scores import changed_weights, compared, gate_words, part_lines, run_label, weight_words
from ops.model import RunId, RunStatus
from ops.pipeline_reads import ScoredRun
from ops.scores import GateRow, Part, Score, SignalValue, WeightRow
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.test_views import NOW

RUN = ScoredRun(
    RunId(UUID(int=1)), "dev", RunStatus.SUCCEEDED, NOW, 80.0, "good",
    [
        {"signal": "outcome", "points": 40, "possible": 50, "value": 1},
        {"signal": "idle", "points": 0, "possible": 0, "value": 0},
    ],
)  # fmt: skip
WEIGHT = WeightRow("outcome", 60.0, "down", 2.0, 1.0, "")
SCORE = Score(Decimal("64.0"), "", (Part("outcome", 1.0, Decimal(20), Decimal(60), "it failed"),))


def test_the_charts_have_the_newest_run_on_the_right() -> None:
    older = replace(RUN, created_at=NOW - timedelta(days=1), score=20.0)
    frame, lost = score_frame([RUN, older]), lost_frame([RUN, older])
    assert frame["score"].to_list() == [20.0, 80.0]
    assert lost.filter(number=2)["lost"].to_list() == [0.2, 0.0]
    assert score_trend(frame).to_dict()["encoding"]["y"]["scale"] == {"domain": [0, 100]}
    assert lost_points(lost).to_dict()["mark"]["type"] == "rect"
    assert score_trend(score_frame([])).to_dict()
    assert lost_points(lost_frame([])).to_dict()


def test_each_environment_has_a_line_of_its_own() -> None:
    dashes = score_trend(score_frame([RUN, replace(RUN, env="prod")])).to_dict()["encoding"]["strokeDash"]
    assert dashes["field"] == "env"
    assert dashes["legend"] is not None
    alone = score_trend(score_frame([RUN, RUN])).to_dict()["encoding"]["strokeDash"]
    assert alone["legend"] is None


def test_a_signal_is_drawn_at_the_runs_that_have_it_under_their_numbers() -> None:
    other = RunId(UUID(int=2))
    runs = [
        RUN,
        replace(RUN, run_id=other, created_at=NOW - timedelta(days=1)),
        replace(RUN, run_id=RunId(UUID(int=3))),
    ]
    frame = signal_frame(runs, {RUN.run_id: SignalValue(RUN.run_id, 2.0, "two"), other: SignalValue(other, 1.0, "")})
    assert frame.select("number", "value", "said").rows() == [(2, 1.0, ""), (3, 2.0, "two")]
    assert signal_trend(frame, "idle").to_dict()["encoding"]["y"]["title"] == "idle"


def test_runs_of_one_second_are_told_apart() -> None:
    assert run_label(RUN) != run_label(replace(RUN, run_id=RunId(UUID(int=2))))


def test_what_other_weights_would_say_is_told_beside_what_is() -> None:
    then = replace(SCORE, score=Decimal("71.4"), parts=(replace(SCORE.parts[0], points=Decimal(30)),))
    assert compared(SCORE, then) == "71.4 instead of 64.0 (+7.4)"
    assert compared(SCORE, SCORE) == "64.0, as it is"
    [line] = part_lines(SCORE, then)
    assert (line.now, line.then, line.said) == ("20.0 of 60.0", "30.0 of 60.0", "it failed")
    assert part_lines(SCORE, replace(then, parts=()))[0].then == "–"
    assert changed_weights([WEIGHT], {"outcome": 60.0}) == {}
    assert changed_weights([WEIGHT], {"outcome": 5.0}) == {"outcome": 5.0}


def test_weights_and_gates_read_as_people_say_them() -> None:
    assert weight_words(WEIGHT) == "costs nothing up to 1, half of its points 2 beyond that"
    gate = GateRow("acme", "books", "prod", None, Decimal(80), NOW, None)
    assert gate_words(gate) == "every pipeline without a gate of its own into prod"
    assert gate_words(replace(gate, pipeline="orders")) == "orders into prod"


def test_weights_are_tried_and_nothing_is_kept(watched: Watched, served: Served) -> None:
    page, operator = watched.page, served.operator
    run_id, token = operator.running()
    operator.executor.fail_run(run_id, token, "CHECK_FAILED", "nulls")
    operator.owner.compute_run_score(run_id)
    # Known before it in the list, and never scored: who opens the page wants to see scores.
    operator.owner.cancel_run(operator.queue(None, pipeline="always", spec_sha256="9" * 64), "over")
    page.goto(f"{served.where}/scores")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    expect(page.get_by_role("combobox", name="Pipeline")).to_have_value("default/demo/demo")
    page.get_by_role("combobox", name="One signal over these runs").click()
    page.get_by_role("option", name="outcome").click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(3)
    assert "signal=outcome" in page.url
    said = page.locator(".verdict.busy")
    expect(said).to_contain_text("as it is")
    page.get_by_label("outcome", exact=True).fill("0")
    page.get_by_label("outcome", exact=True).press("Enter")
    expect(said).to_contain_text("instead of")
    page.reload()
    expect(said).to_contain_text("as it is")
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []
