"""What the pages of pipelines say, without a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard.views.dag import GAP, HIGH, WIDE, graph
from dashboard.views.pipelines import (
    drawn,
    drawn_bars,
    history_bars,
    param_lines,
    phase_nodes,
    pipeline_lines,
    schedule_words,
    success,
    usual,
)
from dashboard.views.spec_diff import LONGEST, changed, spec_diff
from ops.model import RunId, RunStatus
from ops.pipeline_reads import PastRun, PipelineSummary
from tests.dashboard.test_views import NOW

RUN = PastRun(RunId(UUID(int=1)), "dev", RunStatus.SUCCEEDED, NOW - timedelta(hours=1), 4.0)
FAILED = replace(RUN, status=RunStatus.FAILED, seconds=90.0)
OPEN = replace(RUN, status=RunStatus.RUNNING, seconds=None)


def test_open_and_canceled_runs_say_nothing_of_success() -> None:
    canceled = replace(RUN, status=RunStatus.CANCELED)
    assert success([RUN, RUN, FAILED, OPEN, canceled]) == ("2 of 3", "waits")
    assert success([RUN, FAILED, FAILED])[1] == "bad"
    assert success([RUN])[1] == "good"
    assert success([OPEN]) == ("–", "quiet")


def test_what_a_pipeline_usually_takes_is_told_by_runs_that_succeeded() -> None:
    assert usual([RUN, replace(RUN, seconds=6.0), replace(RUN, seconds=800.0), FAILED, OPEN]) == "6.0 s"
    assert usual([FAILED]) == "–"


def test_bars_go_from_old_to_new_and_the_shortest_is_still_seen() -> None:
    bars = history_bars([OPEN, FAILED, RUN], NOW)
    assert [(bar.tone, bar.height) for bar in bars] == [("good", 14), ("bad", 100), ("busy", 14)]
    assert bars[0].said == "succeeded in 4.0 s, dev, 1 h ago (2026-03-01 11:00:00 UTC)"
    assert history_bars([], NOW) == []
    assert drawn_bars([FAILED, RUN]) == ("var(--bar-good) 0px 100%/6px 14%,var(--bar-bad) 8px 100%/6px 100%")
    assert drawn_bars([]) == "none"


def test_a_line_has_a_cell_for_each_environment_that_ran_or_was_promoted_to() -> None:
    row = PipelineSummary(
        "acme", "books", "orders", 7, "ada", "", {"cron": "0 5 * * *"}, NOW, {"prod": 5}, [RUN, FAILED],
        [RUN, replace(FAILED, env="stage")],
    )  # fmt: skip
    [line] = pipeline_lines([row], NOW)
    assert [(cell.env, cell.version, cell.status) for cell in line.envs] == [
        ("dev", "", "succeeded"), ("stage", "", "failed"), ("prod", "v5", ""),
    ]  # fmt: skip
    assert [cell.exact for cell in line.envs] == ["2026-03-01 11:00:00 UTC", "2026-03-01 11:00:00 UTC", ""]
    assert (line.link, line.share, line.schedule) == (
        "pipeline?project=acme%2Fbooks&name=orders", "1 of 2", "0 5 * * * (UTC)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ({"cron": "0 5 * * *", "timezone": "Europe/Berlin"}, "0 5 * * * (Europe/Berlin)"),
        ({"after": "orders"}, "after orders"),
        ({"on_dataset": "gold.x"}, "when gold.x is new"),
        ({"when_stale": {"dataset": "gold.x", "older_than": 60}}, "when gold.x is old"),
        ({"webhook": True}, "by webhook"),
        ({}, ""),
    ],
)
def test_a_schedule_reads_as_people_say_it(schedule: dict[str, object], said: str) -> None:
    assert schedule_words(schedule) == said


def test_phases_stand_right_of_what_they_wait_for_and_a_long_line_passes_between() -> None:
    found = graph({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c", "a", "missing"]})
    assert found is not None
    left = {box.name: box.left for box in found.boxes}
    assert [left[name] // (WIDE + GAP) for name in "abcd"] == [0, 1, 2, 3]
    assert sum(line.ends for line in found.lines) == 5
    empty = graph({})
    assert empty is not None and (empty.width, empty.height, empty.boxes) == (0, 0, ())


def test_a_circle_is_no_graph() -> None:
    assert graph({"a": ["b"], "b": ["a"]}) is None
    assert drawn(phase_nodes({"phases": [{"name": "a", "depends_on": ["a"]}]}, {})) is None


@given(
    some.integers(0, 12).flatmap(
        lambda n: some.tuples(
            *(some.sets(some.integers(0, each - 1)) if each else some.just(frozenset()) for each in range(n))
        )
    )
)
def test_no_two_boxes_share_a_place_and_no_line_leaves_the_picture(after: tuple[frozenset[int], ...]) -> None:
    found = graph({str(name): [str(each) for each in sorted(names)] for name, names in enumerate(after)})
    assert found is not None
    assert len({(box.left, box.top) for box in found.boxes}) == len(after)
    assert sum(line.ends for line in found.lines) == sum(len(names) for names in after)
    for box in found.boxes:
        assert 0 <= box.left <= found.width - WIDE
        assert 0 <= box.top <= found.height - HIGH
    boxes = {(box.left, box.top) for box in found.boxes}
    for line in found.lines:
        assert line.left >= 0 and line.left + line.width <= found.width
        assert line.top >= 0 and line.top + line.height <= found.height
        if line.shape == "flat" and line.width == WIDE:
            assert (line.left, line.top - HIGH // 2) not in boxes


def test_nodes_take_their_look_from_the_last_run() -> None:
    spec = {"phases": [{"name": "a", "kind": "ingest"}, {"name": "b", "kind": "query", "depends_on": ["a"]}]}
    nodes = phase_nodes(spec, {"a": "failed"})
    assert [(node.tone, node.status, node.after) for node in nodes] == [("bad", "failed", ()), ("quiet", "", ("a",))]


def test_parameters_say_their_default_or_that_they_must_be_given() -> None:
    spec = {"params": {"day": {"type": "date"}, "size": {"type": "choice", "choices": ["s", "l"], "default": "s"}}}
    assert [(line.name, line.default, line.choices) for line in param_lines(spec)] == [
        ("day", "must be given", ""), ("size", "s", "s, l"),
    ]  # fmt: skip


def test_a_difference_is_told_by_line_and_kind() -> None:
    lines = spec_diff({"a": 1, "b": 2}, {"b": 3, "a": 1}, ("version 1", "version 2"))
    assert [(line.kind, line.text) for line in lines if line.kind != "same"] == [
        ("place", "@@ -1,4 +1,4 @@"), ("removed", '-  "b": 2'), ("added", '+  "b": 3'),
    ]  # fmt: skip
    assert changed(lines) == "1 line added, 1 removed"
    assert spec_diff({"a": 1}, {"a": 1}, ("x", "y")) == []


def test_a_huge_difference_is_cut_and_says_so() -> None:
    huge = {str(number): number for number in range(LONGEST + 500)}
    lines = spec_diff({}, huge, ("x", "y"))
    assert len(lines) == LONGEST + 1
    assert "more lines" in lines[-1].text
