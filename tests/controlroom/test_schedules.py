"""Schedules and freshness from the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from tests.controlroom.terminal import Answer, Terminal

SPEC = """\
version: 1
pipeline: nightly
owner: "@data-owners"
schedule:
  cron: "30 2 * * *"
  timezone: Europe/Berlin
  misfire: run_all
  catch_up: 7
  overlap: skip
  jitter: 5m
  params: {day: "{date}"}
freshness: {warn_after: 26h, error_after: 2d, column: at}
params:
  day: {type: date}
  oldest: {type: integer, default: 90}
phases:
  - name: count
    kind: transform
    inputs: {people: silver.people}
    sql: select count(*) as n from people
    output: {table: gold.people_count}
"""


def rows(answer: Answer) -> list[dict[str, object]]:
    assert answer.code == 0, answer.err
    return cast(list[dict[str, object]], answer.json())


def done(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out.strip()


def test_a_specs_schedule_and_freshness_are_applied_to_an_environment(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "nightly.yaml").write_text(SPEC)
    said = done(terminal("schedule", "apply", "./nightly.yaml"))
    assert said.splitlines() == [
        "nightly is registered as version 1",
        "schedule nightly in dev: cron",
        "freshness of gold.people_count in dev",
    ]
    assert done(terminal("schedule", "apply", "./nightly.yaml")) == said
    [row] = rows(terminal("schedule", "list", "--json"))
    wanted = {
        "slug": "nightly", "env": "dev", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "misfire": "run_all",
        "catch_up_limit": 7, "overlap": "skip", "jitter_seconds": 300.0, "params": {"day": "{date}"}, "paused": False,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    [rule] = rows(terminal("freshness", "list", "--json"))
    assert (rule["dataset"], rule["warn_seconds"], rule["event_column"]) == ("gold.people_count", 93600.0, "at")
    assert "02:30 CE" in done(terminal("schedule", "next", "nightly", "-n", "3"))
    assert len(rows(terminal("schedule", "next", "nightly", "-n", "5", "--json"))) == 5
    done(terminal("freshness", "remove", "gold.people_count"))
    assert terminal("freshness", "remove", "gold.people_count").code == 3


def test_a_schedules_life(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "nightly.yaml").write_text(SPEC)
    done(terminal("schedule", "apply", "./nightly.yaml"))
    done(
        terminal(
            "schedule",
            "add",
            "hourly",
            "nightly",
            "--cron",
            "0 * * * *",
            "--param",
            "day={date}",
            "--param",
            "oldest=7",
        )
    )
    assert {row["slug"]: row["params"] for row in rows(terminal("schedule", "list", "--json"))}["hourly"] == {
        "day": "{date}",
        "oldest": 7,
    }
    done(terminal("schedule", "pause", "hourly", "--reason", "the source moves"))
    [hourly] = [row for row in rows(terminal("schedule", "list", "--json")) if row["slug"] == "hourly"]
    assert (hourly["paused"], hourly["paused_reason"], hourly["paused_by"]) == (True, "the source moves", "local")
    run = done(terminal("schedule", "fire", "hourly", "--key", "k"))
    assert done(terminal("schedule", "fire", "hourly", "--key", "k")) == run
    [tick] = rows(terminal("schedule", "history", "hourly", "--json"))
    assert (tick["outcome"], tick["run_id"], tick["run_status"], tick["reason"]) == ("fired", run, "queued", "by hand")
    assert run in done(terminal("schedule", "history", "hourly"))
    done(terminal("schedule", "resume", "hourly"))
    done(terminal("schedule", "remove", "hourly"))
    assert terminal("schedule", "pause", "hourly").code == 3
    done(terminal("schedule", "add", "inbound", "nightly", "--webhook"))
    told = json.loads(done(terminal("schedule", "webhook", "inbound", "--json")))
    assert told["secret"].startswith("whsec_")
    assert "/hooks/" in told["address"]


def test_what_makes_no_schedule_is_refused_with_its_reason(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "nightly.yaml").write_text(SPEC)
    done(terminal("schedule", "apply", "./nightly.yaml"))
    wrong = {
        ("--cron", "61 * * * *"): "'61' is no minute",
        (): "give exactly one of cron",
        ("--cron", "0 * * * *", "--jitter", "soon"): "is no duration",
        ("--cron", "0 * * * *"): "day (date) has no default",
        ("--after", "nightly", "--param", "day={date}"): "would start itself",
        ("--cron", "0 * * * *", "--param", "day={date}", "--overlap", "maybe"): "overlap",
    }
    for options, reason in wrong.items():
        answer = terminal("schedule", "add", "s", "nightly", *options)
        assert (answer.code, reason in answer.err) == (2, True), (options, answer.err)
    assert terminal("schedule", "add", "s", "weekly", "--cron", "0 * * * *").code == 3
