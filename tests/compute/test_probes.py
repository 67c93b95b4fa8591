"""CAPS coverage, earned: probes exercise the running stack, and what they did not see is not shown as a fact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest

from compute import watch
from compute.probes.checks import CHECKS, SEED
from compute.probes.work import PATIENCE, nightly
from controlroom.caps import cell, markdown, matrix
from ops.database import connect
from ops.settings import Settings
from ops.watching import UNSEEN, CapabilityRow, Watching
from tests.faults.world import ROOT, World

PROVEN = set(CHECKS)


def _caps(world: World, *options: str) -> tuple[int, dict[str, dict[str, object]]]:
    answer = subprocess.run(
        [sys.executable, "-m", "controlroom", "caps", "--json", *options],
        env={**os.environ, **world.environment}, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert answer.stdout, answer.stderr
    return answer.returncode, {each["capability"]: each for each in json.loads(answer.stdout)}


def _settings(world: World, hour: int) -> Settings:
    return Settings(home=world.home, database_url=world.url, probe_hour=hour)


def test_a_tick_is_earned_on_the_running_stack(world: World) -> None:
    code, claimed = _caps(world, "--no-run")
    assert code == 0
    assert {each["standing"] for each in claimed.values()} == {"claimed"}
    assert claimed["Jobs/Workflows"]["shown"]["mvp"] == "✅ (claimed)"  # type: ignore[index]

    world.start_executor()
    code, rows = _caps(world)
    assert code == 0
    assert {name for name, row in rows.items() if row["standing"] == "proven"} == PROVEN
    assert rows["Table format"]["shown"] == {"mvp": "✅", "v1": "✅", "v2": "✅"}
    # Nobody has built it: what the report says of it stays a claim, or a plan.
    assert rows["Dashboards"]["shown"]["mvp"] == "✅ (claimed)"  # type: ignore[index]
    assert rows["Notebooks"]["shown"] == {"mvp": "❌", "v1": "⏳", "v2": "✅ (claimed)"}
    evidence = rows["Lineage"]["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["test"] == "compute.probes.checks:lineage"
    [run] = world.rows("select r.id::text, p.slug, r.status from ops.runs r join ops.projects p on p.id = r.project_id")
    assert run == (evidence["run"], "probes", "succeeded")

    # What a later probe does not see is not shown any more, and says why.
    seed = world.home / "lake" / "default" / "probes" / "dev" / Path(*SEED.split("."))
    pl.DataFrame({"id": range(7)}).write_delta(str(seed), mode="overwrite")
    code, rows = _caps(world)
    assert code == 1
    assert rows["Jobs/Workflows"]["standing"] == "failed"
    assert "CHECK_FAILED" in str(rows["Jobs/Workflows"]["failure"])
    assert rows["Jobs/Workflows"]["shown"]["mvp"] == "❌ (probe failed)"  # type: ignore[index]
    assert rows["Pipeline authoring"]["standing"] == "proven"


def test_without_an_executor_nothing_is_proven(world: World) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "controlroom", "caps", "--wait", "1"],
        env={**os.environ, **world.environment}, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert answer.returncode == 4
    assert "controlroom doctor" in answer.stderr
    _, rows = _caps(world, "--no-run")
    assert {name for name, row in rows.items() if row["standing"] == "failed"} == PROVEN


def test_the_night_is_probed_once_whoever_dies_when(world: World) -> None:
    # Its hour comes hours from now: the database may be as old as this session's template.
    settings = _settings(world, (datetime.now(UTC) + timedelta(hours=3)).hour)
    with connect(world.url, autocommit=True) as connection:
        nightly(connection, settings)
        assert world.rows("select 1 from ops.runs") == []  # not installed long: the first probes wait for their hour
        connection.execute("update ops.capabilities set probed_at = now() - interval '2 days'")
        for _ in range(3):
            nightly(connection, settings)
        assert len(world.rows("select 1 from ops.runs")) == 1
        world.start_executor()
        world.wait_until_finished(1)
        nightly(connection, settings)
        proven = [row for row in Watching(connection).capabilities() if row.proven_at]
        assert {row.capability for row in proven} == PROVEN
        for _ in range(3):
            nightly(connection, settings)
        assert len(world.rows("select 1 from ops.runs")) == 1
        watch.probe(connection, _settings(world, -1))


def test_a_run_that_nobody_takes_is_given_up(world: World) -> None:
    settings = _settings(world, datetime.now(UTC).hour)
    with connect(world.url, autocommit=True) as connection:
        connection.execute("update ops.capabilities set probed_at = now() - interval '2 days'")
        nightly(connection, settings)
        connection.execute("update ops.runs set created_at = created_at - %s", [PATIENCE * 2])
        nightly(connection, settings)
        failures = [row.failure for row in Watching(connection).capabilities() if row.failure]
    assert len(failures) == len(PROVEN)
    assert world.rows("select status from ops.runs") == [("canceled",)]


@pytest.mark.parametrize(
    ("now", "probed", "due"),
    [
        ("2026-03-10 04:00", "2026-03-10 02:59", "2026-03-10 03:00"),
        ("2026-03-10 04:00", "2026-03-10 03:01", None),
        ("2026-03-10 02:00", "2026-03-09 02:00", "2026-03-09 03:00"),
        ("2026-03-10 02:00", "2026-03-09 04:00", None),
    ],
)
def test_probes_are_due_at_their_hour(connection: psycopg.Connection, now: str, probed: str, due: str | None) -> None:
    connection.execute("set timezone = 'Asia/Kathmandu'")
    connection.execute("update ops.capabilities set probed_at = %s::timestamptz", [f"{probed}+00"])
    found = connection.execute(
        "select private.probes_due(3, %s::timestamptz, %s) at time zone 'UTC'", [f"{now}+00", list(CHECKS)]
    ).fetchone()
    assert found is not None
    assert (found[0] and f"{found[0]:%Y-%m-%d %H:%M}") == due


def test_evidence_grows_old() -> None:
    old = datetime.now(UTC) - timedelta(days=8)
    row = CapabilityRow(1, "X", "", "", "supported", "planned", "not planned", "p", {"said": ""}, old, old, None)
    week = timedelta(days=7)
    assert [cell(row, each, week) for each in (row.mvp, row.v1, row.v2)] == ["✅ (stale)", "⏳", "❌"]


def test_the_report_says_what_is_missing_where_nothing_was_proven(connection: psycopg.Connection) -> None:
    rows = Watching(connection).capabilities()
    assert "missing: nothing here serves a model |" in markdown(rows, timedelta(days=7))
    [row] = [row for row in matrix(rows, timedelta(days=7)) if row["capability"] == "Lineage"]
    assert row["missing"] == UNSEEN


def test_the_steward_names_the_probes_that_there_are() -> None:
    assert set(watch.PROBED) == PROVEN
