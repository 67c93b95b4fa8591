"""Backfills, retries from a phase and replays from the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tests.controlroom.terminal import Answer, Terminal

SPEC = """\
version: 1
pipeline: daily
owner: "@data-owners"
params:
  day: {type: date}
  limit: {type: integer, default: 5}
partition: {param: day, step: day}
phases:
  - name: land
    kind: transform
    inputs: {orders: silver.orders}
    sql: select * from orders
    output: {table: gold.landed}
  - name: daily
    kind: transform
    inputs: {landed: gold.landed}
    sql: select day, amount from landed join params on landed.day = cast(params.day as date)
    output: {table: gold.daily, mode: partition, by: day}
"""


def done(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out.strip()


def test_a_backfill_from_its_plan_to_its_end(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "daily.yaml").write_text(SPEC)
    done(terminal("schedule", "apply", "./daily.yaml"))
    span = ("--from", "2025-01-01", "--to", "2025-01-12", "--param", "limit=7")
    said = done(terminal("backfill", "plan", "daily", *span, "--parallel", "3")).splitlines()
    assert said[:3] == [
        "daily version 1 in dev: 12 partitions in 12 runs, 3 at a time",
        "no run of daily has succeeded in dev yet: there is nothing to estimate from",
        "  2025-01-01",
    ]
    assert said[-1] == "  … 2 more, the last 2025-01-12"
    started = done(terminal("backfill", "start", "daily", *span, "--key", "once"))
    assert done(terminal("backfill", "start", "daily", *span, "--key", "once")) == started
    [row] = cast(list[dict[str, object]], terminal("backfill", "list", "--json").json())
    wanted = {"id": started, "state": "active", "pending": 12, "params": {"limit": 7}, "created_by": "local"}
    assert {**wanted, "created_by": row["created_by"]} == {name: row[name] for name in wanted}
    assert done(terminal("backfill", "pause", started[:18], "--reason", "lunch")) == "paused"
    assert "2025-01-01 … 2025-01-12" in done(terminal("backfill", "list"))
    assert done(terminal("backfill", "resume", started)) == "active"
    assert done(terminal("backfill", "cancel", started)) == "canceled"
    shown = cast(dict[str, object], terminal("backfill", "show", started, "--json").json())
    assert (shown["state"], shown["reason"], shown["canceled"]) == ("canceled", "by hand", 12)
    assert len(cast(list[object], shown["runs"])) == 12
    log = done(terminal("audit", "--json"))
    assert "backfills.insert" in log and "backfills.update" in log


def test_what_is_wrong_is_said_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "daily.yaml").write_text(SPEC)
    done(terminal("schedule", "apply", "./daily.yaml"))
    for arguments, code, said in (
        (("plan", "daily"), 2, "BAD_INPUT: the range is open to open"),
        (
            ("start", "daily", "--param", "limit=many", "--partition", "2025-01-01"),
            2,
            "parameter limit: 'many' is no integer",
        ),
        (("show", "0000"), 3, "NOT_FOUND: there is no backfill 0000"),
    ):
        answer = terminal("backfill", *arguments)
        assert (answer.code, said in answer.err, answer.err.count("\n")) == (code, True, 1), answer.err


def test_a_retry_and_a_replay_are_previewed(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "daily.yaml").write_text(SPEC)
    run = done(terminal("run", "submit", "./daily.yaml", "-p", "day=2025-01-01"))
    done(terminal("run", "cancel", run))
    told = cast(
        list[dict[str, object]], terminal("run", "retry", run, "--from-phase", "daily", "--dry-run", "--json").json()
    )
    assert [(each["name"], each["again"], each["reason"]) for each in told] == [
        ("land", True, "has not succeeded"), ("daily", True, "named"),
    ]  # fmt: skip
    refused = terminal("run", "replay", run, "--dry-run")
    assert (refused.code, "ended before it had pinned its inputs" in refused.err) == (1, True)
    again = cast(dict[str, str], terminal("run", "retry", run, "--from-phase", "daily", "--json").json())["run_id"]
    assert again != run
