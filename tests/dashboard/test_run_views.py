"""What the parts of a run's page say, without a page."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from urllib.parse import parse_qs
from uuid import UUID

import polars as pl
import pytest
from pyarrow import table
from pyarrow.parquet import write_table

from dashboard.components.render import render
from dashboard.views.determinism import badge
from dashboard.views.phase_tables import reads_of, tables_by_phase
from dashboard.views.preview import BYTES, PARQUET_BYTES, ROWS, Preview, part_of, preview
from dashboard.views.run_actions import EVERY_PHASE, acts, chosen_rerun, first_choice, rerun_lines
from dashboard.views.run_history import dashboard_lines, impacts, lease_lines
from dashboard.views.run_log import WINDOW, event_lines, first_window, last_window, onward, wanted
from dashboard.views.run_score import beside, score_lines
from dashboard.views.run_tables import aside_links, check_lines, commit_lines, row_lines, schema_difference
from dashboard.views.timeline import slower, stretches, timeline
from dashboard.views.verdict import ADVICE, advice, first_seen
from dashboard.views.waiting import LOOKS, reasons
from ops.backfills import PhaseAgain
from ops.errors import all_errors
from ops.limits import Waiting
from ops.model import EventType, PhaseStatus, RunId, RunStatus
from ops.run_reads import (
    LOG_PAGE,
    CommitRow,
    Dashboard,
    Downstream,
    GoodRun,
    SignalRow,
    StaleInput,
    Standing,
    Twin,
    Usual,
)
from ops.views import ArtifactRow, EventRow
from tests.dashboard.eventful import CHECKS, DOT, SPEC
from tests.dashboard.test_views import DONE, ENDED, NOW, PHASE, RUN

OTHER = RunId(UUID(int=7))
EXECUTOR = UUID(int=8)
STANDING = Standing(0, 10, 5, "worker-1", NOW)
QUEUED = replace(RUN, status=RunStatus.QUEUED)
COMMIT = CommitRow(
    UUID(int=3), "silver", "sales", 2, 2, "replace", 30, 30, 4096, "v1:b", {"id": "long", "at": "date"}, False, "tidy", NOW,
    1, 40, {"id": "integer", "old": "string"}, "v1:a", ({"table": "bronze.sales", "version": 2},),
)  # fmt: skip
MARKED = replace(DONE, attempt=1, input_fingerprint="in", output_fingerprint="out")
ARTIFACT = ArtifactRow(UUID(int=4), None, "rows.csv", "table", "0" * 64, 0, "text/csv", "file:///a", {}, NOW)


def event(seconds: float, type_: EventType, **data: object) -> EventRow:
    return EventRow(int(seconds), RUN.created_at + timedelta(seconds=seconds), type_, None, "info", "", data)


LIFE = [
    event(0, EventType.RUN_CREATED),
    event(10, EventType.RUN_CLAIMED, executor=str(EXECUTOR), attempt=1),
    event(11, EventType.RUN_STARTED),
    event(40, EventType.LEASE_EXPIRED, executor=str(EXECUTOR), expired_at=str(RUN.created_at + timedelta(seconds=30))),
    event(41, EventType.RUN_REQUEUED),
    event(50, EventType.RUN_CLAIMED, executor=str(EXECUTOR), attempt=1),
    event(51, EventType.RUN_STARTED),
]


def test_advice_is_of_errors_that_there_are_and_only_for_what_went_wrong() -> None:
    assert set(ADVICE) <= set(all_errors())
    failed = replace(ENDED, status=RunStatus.FAILED, error_code="CHECK_FAILED")
    assert advice(failed).startswith("Look at the check")
    assert advice(replace(failed, status=RunStatus.SUCCEEDED)) == advice(ENDED) == ""


def test_the_first_check_that_does_not_hold_is_what_was_seen_first() -> None:
    failed = replace(PHASE, status=PhaseStatus.FAILED, error_data={"checks": CHECKS})
    assert first_seen(RUN, [PHASE, failed]) == "nulls amount: expected <= 0.00%, observed 0.25% (3 of 1204), in 3 rows"
    assert first_seen(replace(RUN, error_data={"checks": "none"}), [PHASE]) == ""


def test_who_had_a_run_when_is_told_without_a_gap() -> None:
    found = stretches(RUN, LIFE, NOW)
    assert [each.kind for each in found] == [
        "queued", "starting", "owned", "lease wait", "queued", "starting", "owned",
    ]  # fmt: skip
    assert found[3].begin == RUN.created_at + timedelta(seconds=30)
    assert all(one.end == after.begin for one, after in pairwise(found))
    assert found[-1].end == NOW
    # A log whose beginning was forgotten, and one that says nothing useful.
    assert [each.kind for each in stretches(RUN, LIFE[4:], NOW)] == ["queued", "queued", "starting", "owned"]
    assert stretches(RUN, [event(40, EventType.LEASE_EXPIRED, expired_at="soon")], NOW)[0].end == LIFE[3].ts


def test_the_timeline_marks_commits_and_what_is_usual() -> None:
    begun = NOW - timedelta(seconds=50)
    phase = replace(DONE, name="tidy", attempt=1, started_at=begun, finished_at=NOW)
    usual = [
        Usual("phase", "tidy", 12, 25.0, 75.0),
        Usual("waiting", None, 12, 5.0, 5.0),
        Usual("run", None, 12, 60.0, 60.0),
    ]
    commit = replace(COMMIT, recorded_at=NOW - timedelta(seconds=10))
    waiting, tidy = timeline(ENDED, [phase], NOW, LIFE, [commit], usual).bars
    assert [(piece.kind, piece.width) for piece in tidy.pieces] == [("compute", 40), ("after", 10)]
    assert tidy.commits == ((90.0, "committed silver.sales version 2"),)
    assert tidy.ghost is not None
    assert (tidy.ghost.left, tidy.ghost.width, tidy.ghost.far) == (50, 25, 100)
    assert "12 runs" in tidy.ghost.note
    assert waiting.note == "32 s"
    assert slower([phase], [replace(usual[0], p50=20.0, p95=30.0)], NOW) == {"tidy": "2.5 × what is usual"}
    assert slower([phase], usual, NOW) == {}
    # Of a run at work the axis reaches as far as it usually does.
    assert timeline(replace(RUN, started_at=NOW), [], NOW, (), (), usual).ticks[-1] == "2 min 40 s"


@pytest.mark.parametrize("reason", LOOKS)
def test_a_queued_run_says_what_it_waits_for_in_postgres_words(reason: str) -> None:
    [found] = reasons(QUEUED, STANDING, Waiting(reason, "cap few is full", None, {}), [])
    assert found.said == "Cap few is full."
    assert (found.tone, found.link, found.link_name) == LOOKS[reason]


def test_a_run_at_work_says_whose_it_is_and_a_lost_one_that_it_is_lost() -> None:
    held = replace(RUN, lease_token=9, lease_expires_at=NOW + timedelta(seconds=20))
    [reason] = reasons(held, STANDING, None, [])
    assert (reason.tone, reason.said) == ("quiet", "worker-1 holds lease 9 for 20 s more.")
    over, lost = reasons(
        replace(held, lease_expires_at=NOW - timedelta(seconds=20)), replace(STANDING, lost_leases=1), None, []
    )
    assert (over.tone, lost.said) == ("bad", "Its lease was lost 1 time; after 10 it fails.")
    assert "it ended 20 s ago" in over.said
    *_, stale = reasons(held, STANDING, None, [StaleInput("bronze.sales", "error", 7200.0)])
    assert stale.said == "bronze.sales, which it reads, is 2 h old, older than it may be."
    assert stale.link == "dataset?project=default%2Fdemo&env=dev&table=bronze.sales"
    assert reasons(replace(ENDED, status=RunStatus.SUCCEEDED), STANDING, None, []) == []


def test_specs_of_any_age_are_read_for_their_tables() -> None:
    assert reads_of(SPEC) == ["bronze.sales", "silver.sales"]
    assert tables_by_phase(SPEC)["tidy"].row_by_row
    assert not tables_by_phase(SPEC)["marts"].row_by_row
    assert tables_by_phase({}) == tables_by_phase({"phases": "none"}) == {}
    assert reads_of({"phases": [{"name": "x", "inputs": [1]}, "y"]}) == []


def test_a_commit_stands_beside_the_version_before_it() -> None:
    [line] = commit_lines([COMMIT])
    assert (line.versions, line.change, line.content, line.state) == ("1 → 2", "-10", "other rows", "what readers get")
    assert line.schema == ("id is long, was integer", "at is new (date)", "old is gone")
    assert list(schema_difference(None, {"id": "long"})) == []
    first = replace(COMMIT, before_version=None, before_rows=None, before_columns=None, before_fingerprint=None)
    [line] = commit_lines([replace(first, released=None)])
    assert (line.versions, line.change, line.content, line.state) == ("– → 2", "+30", "first version", "not released")
    same = replace(COMMIT, before_rows=30, before_fingerprint="v1:b", released=5)
    [line] = commit_lines([same])
    assert (line.change, line.content, line.state) == ("±0", "same rows as before", "superseded by 5")
    assert commit_lines([replace(COMMIT, layer="quarantine", released=None)])[0].state == "put aside"


def test_rows_are_told_by_phase_and_dropped_only_where_that_can_be_told() -> None:
    tidy = replace(DONE, name="tidy", kind="transform", started_at=NOW, finished_at=NOW, rows_in=40, rows_out=30)
    [line] = row_lines(SPEC, [tidy, replace(PHASE, name="marts")], [COMMIT], {})
    assert (line.table, line.rows_in, line.rows_out, line.dropped) == ("silver.sales", "40", "30", "10")
    marts = replace(COMMIT, layer="gold", name="sales_by_month", phase="marts")
    assert row_lines(SPEC, [replace(tidy, name="marts")], [marts], {})[0].dropped == ""
    assert row_lines(SPEC, [replace(tidy, rows_out=50)], [COMMIT], {})[0].dropped == ""
    assert row_lines({}, [tidy], [], {})[0].table == ""


def test_checks_that_do_not_hold_come_first_with_the_place_of_their_rows() -> None:
    checks = replace(DONE, name="checks", kind="validate", metrics={"checks": CHECKS}, started_at=NOW, finished_at=NOW)
    aside = replace(COMMIT, layer="quarantine", name="silver_sales", phase="checks", rows=3)
    links = aside_links(replace(ENDED, status=RunStatus.SUCCEEDED), [COMMIT, aside], {"checks": OTHER})
    broken, whole = check_lines(SPEC, [checks], [aside], links)
    assert (broken.check, broken.table, broken.bad_rows, broken.aside) == (
        "nulls amount", "silver.sales", "3", "quarantine.silver_sales",
    )  # fmt: skip
    asked = {
        "table": ["quarantine.silver_sales@v2"],
        "run_rows": [str(OTHER)],
        "phase_rows": ["checks"],
        "project": ["default/demo"],
        "env": ["dev"],
    }
    assert (broken.link.partition("?")[0], parse_qs(broken.link.partition("?")[2])) == ("sql", asked)
    assert (whole.state, whole.aside, whole.link) == ("holds", "", "")
    # Before it has succeeded no reader may ask that version.
    assert aside_links(RUN, [aside], {}) == {"checks": f"dataset?id={aside.dataset_id}"}
    failed = replace(checks, metrics={}, error_data={"table": "gold.x", "checks": CHECKS})
    assert check_lines(SPEC, [failed], [], {})[0].table == "gold.x"
    [line] = row_lines(SPEC, [checks], [aside], links)
    assert (line.quarantined, line.checks, line.tone) == ("3", "1 of 2 hold", "bad")


def test_the_badge_says_what_a_run_matches_or_where_it_differs() -> None:
    same, part = Twin(OTHER, NOW, 2, ()), Twin(RunId(UUID(int=6)), NOW, 1, ())
    phases = [MARKED, replace(MARKED, name="tidy")]
    assert (badge(RUN, phases, [part, same]).word, badge(RUN, phases, [part, same]).run_id) == ("matches", str(OTHER))
    assert badge(RUN, phases, [part]).word == "matches in part"
    differs = badge(RUN, phases, [replace(same, differs=("tidy",))])
    assert (differs.word, differs.tone) == ("differs from", "bad")
    assert "tidy" in differs.said
    assert badge(RUN, phases, []).word == "not compared"
    assert badge(RUN, [PHASE], [same]).word == "nothing to compare"


def test_a_score_stands_beside_the_last_good_runs() -> None:
    part = {"signal": "retries", "value": 1, "points": 5.0, "possible": 10.0, "said": "it took 2 attempts"}
    before = {"signal": "retries", "value": 0, "points": 10.0, "possible": 10.0}
    run = replace(ENDED, score=Decimal("90.0"), score_breakdown=[part, {**part, "signal": "outcome", "value": 1e9}])
    good = GoodRun(OTHER, NOW, 1, "a" * 40, Decimal("95.0"), [before], 3.0)
    assert beside(run, good) == "-5.0 beside the last good run"
    assert beside(run, replace(good, score=Decimal("90.0"))) == "the same as the last good run"
    assert beside(run, None) == beside(RUN, good) == ""
    retries, outcome, noted = score_lines(run, good, [SignalRow("duration", 3.0, "", NOW)])
    assert (retries.change, retries.share, retries.tone, retries.said) == ("-5.0", 50.0, "waits", "it took 2 attempts")
    assert (outcome.value, outcome.change) == ("–", "none then")
    assert (noted.signal, noted.said) == ("duration", "no weight: it is only noted")
    assert score_lines(RUN, None, []) == []


def test_a_log_is_looked_through_window_by_window() -> None:
    rows = [event(number, EventType.PHASE_PROGRESS) for number in range(1, LOG_PAGE + 1)]
    assert onward(rows, first_window(0), 20_000) == LOG_PAGE
    assert onward(rows[:3], first_window(0), 20_000) == WINDOW
    assert onward(rows[:3], first_window(0), 5_000) is None
    assert (last_window(25_000).after, last_window(3).after) == (15_000, 0)
    assert last_window(25_000).until > 25_000
    chosen = wanted("warnings and errors", "land", " Late ")
    assert (chosen.levels, chosen.phase, chosen.text) == (("warning", "error"), "land", "Late")
    assert wanted("whatever", "", "").levels is None
    [line] = event_lines([event(1, EventType.PHASE_PROGRESS, said="ä" * 1000)])
    assert line.data.startswith('"said": "ää')
    assert len(line.data) < 400
    assert event_lines([event(1, EventType.RUN_STARTED)])[0].data == ""


def test_leases_name_their_owners_and_tables_further_on_say_what_they_have() -> None:
    lines = lease_lines(LIFE, {EXECUTOR: "worker-1"})
    assert [line.what for line in lines][:4] == ["created", "claimed", "started", "lease lost"]
    assert (lines[1].who, lines[3].after) == ("worker-1, attempt 1", "29 s")
    assert lease_lines(LIFE, {})[1].who.startswith("executor ")
    near = Downstream("gold.a", UUID(int=5), "silver.sales", 2, 1, OTHER, "marts")
    found = [
        replace(near, table="gold.c", source="gold.a", steps=2),
        near,
        replace(near, table="gold.b", input_version=1, pipeline=None),
        replace(near, table="gold.d", input_version=3),
        replace(near, table="gold.own", run_id=RUN.run_id),
    ]
    assert [(line.table, line.state) for line in impacts(found, [COMMIT], RUN.run_id)] == [
        ("gold.a", "has what this run wrote"),
        ("gold.b", "does not have it yet"),
        ("gold.d", "has newer by now"),
        ("gold.c", "made from what is above"),
    ]


@pytest.mark.parametrize(
    ("superset", "link"),
    [
        ("https://bi.example.com", "https://bi.example.com/superset/dashboard/9/"),
        ("https://example.com/bi/", "https://example.com/bi/superset/dashboard/9/"),
        (None, ""),
    ],
)
def test_a_dashboard_is_linked_where_its_address_is_known(superset: str | None, link: str) -> None:
    [line] = dashboard_lines([Dashboard("takings", "gold.takings", UUID(int=5), 9, NOW)], superset)
    assert line.link == link
    drawn = render("dashboards", lines=[line], now=NOW + timedelta(hours=2))
    assert (f'href="{link}"' in drawn) is bool(link)
    assert drawn.count("<a ") == 1 + bool(link)
    assert "gold.takings" in drawn
    assert "2 h ago" in drawn


def test_each_act_says_why_it_cannot_be_done() -> None:
    failed, succeeded = (replace(ENDED, status=status) for status in (RunStatus.FAILED, RunStatus.SUCCEEDED))
    why = {
        (run.status, allowed): {act.name: act.why_not for act in acts(run, allowed, True)}
        for run in (QUEUED, RUN, failed, succeeded)
        for allowed in (True, False)
    }
    needs = "It needs the role operator here."
    assert why[RunStatus.QUEUED, True] == {
        "cancel": "", "retry": "It has not ended.", "again": "It has not ended.", "replay": "It has not ended.",
        "backfill": "", "verify": "Only a run that succeeded can be verified.",
    }  # fmt: skip
    assert why[RunStatus.RUNNING, False]["cancel"] == needs
    assert why[RunStatus.FAILED, True]["cancel"] == "It has ended."
    assert {why[RunStatus.FAILED, False][name] for name in ("retry", "again", "replay", "backfill")} == {needs}
    assert why[RunStatus.SUCCEEDED, True]["retry"].startswith("It succeeded: there is nothing to do again.")
    assert {why[RunStatus.SUCCEEDED, True][name] for name in ("again", "replay", "backfill", "verify")} == {""}
    assert acts(replace(RUN, cancel_requested=True), True, True)[0].why_not == "It was asked to stop already."
    # A question is canceled by who asked it, and nothing else is done with it by them.
    asked = [act.name for act in acts(QUEUED, False, False, asked=True) if not act.why_not]
    assert asked == ["cancel"]
    unpartitioned = {act.name: act for act in acts(failed, True, False)}
    assert "names no partition" in unpartitioned["backfill"].why_not
    assert unpartitioned["cancel"].command.startswith("controlroom run cancel")


def test_a_rerun_is_told_phase_by_phase_as_the_database_plans_it() -> None:
    plan = [
        PhaseAgain(1, "land", "ingest", False, "succeeded before"),
        PhaseAgain(2, "tidy", "transform", True, "named"),
    ]
    assert rerun_lines(plan) == ("Carried out: tidy.", "Taken over, because they succeeded: land.")
    assert rerun_lines(plan[:1])[0] == "No phase is left to carry out; it releases what is there."
    phases = [DONE, replace(PHASE, name="tidy")]
    assert (first_choice(phases), first_choice(phases[:1])) == (1, 0)
    assert chosen_rerun(OTHER, "tidy", False) == ("retry", "tidy", f"controlroom run retry {OTHER} --from-phase tidy")
    assert chosen_rerun(OTHER, EVERY_PHASE, True) == ("latest", None, f"controlroom run retry {OTHER} --latest")


def artifact(content_type: str, data: bytes, more: int = 0) -> tuple[ArtifactRow, bytes]:
    return replace(ARTIFACT, content_type=content_type, byte_size=len(data) + more), data


def test_artifacts_are_shown_as_what_they_are() -> None:
    assert preview(*artifact("text/csv; charset=utf-8", b"a,b\n1,\n")).rows == (("1", ""),)
    assert preview(*artifact("application/json", b'[{"a": 1}, {"b": [2]}]')).columns == ("a", "b")
    assert preview(*artifact("application/json", b'{"a": 1}')).text == '{\n "a": 1\n}'
    assert preview(*artifact("application/x-ndjson", b'{"a": 1}\n\n{"a": null}')).rows == (("1",), ("",))
    assert preview(*artifact("text/plain", b"\xff")).text == "�"
    assert preview(*artifact("image/png", DOT)).kind == "picture"
    # What a browser would run is text here, or nothing.
    assert preview(*artifact("image/svg+xml", b"<svg/>")).kind == "none"
    assert preview(*artifact("text/html", b"<script>")).kind == "text"
    assert preview(*artifact("application/vnd.apache.parquet", b"PAR1")).note.startswith("It is no Parquet")
    assert preview(*artifact("application/octet-stream", b"PAR1")).kind == "none"


def test_of_a_small_parquet_file_the_first_rows_are_shown() -> None:
    def looked_at(frame: pl.DataFrame) -> Preview:
        data = io.BytesIO()
        frame.write_parquet(data)
        return preview(*artifact("application/vnd.apache.parquet", data.getvalue()))

    months = looked_at(pl.DataFrame({"month": [date(2026, 1, 1), None], "revenue": [1204.5, 980.0]}))
    assert (months.columns, months.rows) == (("month", "revenue"), (("2026-01-01", "1204.5"), ("", "980.0")))
    assert months.note == ""
    long = looked_at(pl.DataFrame({f"c{number}": range(1000) for number in range(50)}))
    assert (len(long.columns), len(long.rows)) == (30, ROWS)
    assert long.note == "Shown are the first 100 rows and the first 30 of 50 columns; download it for all."
    assert looked_at(pl.DataFrame({"a": []})).rows == ()
    # A little that becomes much is not unpacked in everybody's process.
    packed = io.BytesIO()
    write_table(table({"said": ["x" * 1_000_000] * 70}), packed, compression="zstd", use_dictionary=False)
    assert len(packed.getvalue()) < PARQUET_BYTES
    assert preview(*artifact("application/vnd.apache.parquet", packed.getvalue())).note.startswith(
        "Parquet of more than"
    )
    # What is too large is not even fetched.
    large = replace(ARTIFACT, content_type="application/vnd.apache.parquet", byte_size=PARQUET_BYTES + 1)
    assert part_of(large) == (0, 0)
    assert "more than 4 MiB" in preview(large, b"").note


def test_of_a_long_log_the_end_is_shown() -> None:
    told = [json.dumps({"message": f"line {number}"}) for number in range(20_000)]
    whole = "\n".join(told).encode()
    row = replace(ARTIFACT, content_type="application/x-ndjson", byte_size=len(whole))
    first, most = part_of(row)
    assert (first, most) == (len(whole) - BYTES, BYTES)
    shown = preview(row, whole[first : first + most])
    assert (len(shown.rows), shown.rows[-1]) == (ROWS, ("line 19999",))
    assert shown.note == "Shown are the last 100 rows; download it for all."
    short = "\n".join(told[:300]).encode()
    assert preview(*artifact("application/x-ndjson", short)).rows[-1] == ("line 299",)
    text = replace(row, content_type="text/plain")
    assert preview(text, whole[first:]).text.endswith('"line 19999"}')
    assert "last 256 KiB" in preview(text, whole[first:]).note
    # Whatever begins with what it is about is looked at from there.
    assert part_of(replace(row, content_type="text/csv")) == (0, BYTES)


def test_what_is_left_out_of_a_preview_is_told() -> None:
    rows = "".join(f"{number}\n" for number in range(1000)).encode()
    long = preview(*artifact("text/csv", b"n\n" + rows))
    assert len(long.rows) == ROWS
    assert long.note == "Shown are the first 100 rows; download it for all."
    cut = preview(*artifact("text/csv", b"n\n1\n2", more=1))
    assert (cut.rows, bool(cut.note)) == ((("1",),), True)
    assert preview(*artifact("application/json", b'[{"a": 1', more=1)).kind == "text"
    assert "first 256 KiB" in preview(*artifact("application/json", b"[" + b"x" * BYTES, more=1)).note
    assert preview(*artifact("application/json", b"no")).note.startswith("It is no JSON")
    assert preview(*artifact("text/csv", b"")).note == "It is empty."
    wide = preview(*artifact("application/json", json.dumps([{str(n): "y" * 900 for n in range(50)}]).encode()))
    assert (len(wide.columns), len(wide.rows[0][0])) == (30, 202)
