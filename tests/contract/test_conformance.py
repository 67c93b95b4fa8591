"""The kit passes executors that keep the contract, in three languages' worth of ways, and finds each way to break it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from controlroom.conformance.rules import PROMISES
from tests.contract import faulty
from tests.contract.deno import LEASE_SECONDS, started
from tests.contract.door import Door
from tests.contract.people import EDITOR, STRANGER, People
from tests.contract.tokens import token
from tests.faults.world import ROOT, end

pytestmark = pytest.mark.timeout(240)


def judge(door: Door, *options: str, subject: str = EDITOR) -> subprocess.CompletedProcess[str]:
    """``controlroom conformance`` against what is running."""
    command = [
        sys.executable,
        "-m",
        "controlroom",
        "conformance",
        "--url",
        door.url,
        "--project",
        "acme/books",
        *options,
    ]
    environment = {**os.environ, "CONTROLROOM_CONFORMANCE_TOKEN": token("authenticated", subject)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)


@contextmanager
def process(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Python with all that it starts, killed at the end."""
    with log.open("wb") as said:
        running = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT, env={**os.environ, **environment}, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        yield running
    finally:
        end(running)


def kept(told: subprocess.CompletedProcess[str], log: Path) -> None:
    assert told.returncode == 0, told.stdout + told.stderr + log.read_text()[-3000:]
    assert f"{len(PROMISES)} of {len(PROMISES)} rules kept" in told.stdout


def test_an_executor_of_a_few_lines_passes(door: Door, people: People, tmp_path: Path) -> None:
    command = ["-m", "tests.contract.faulty", door.url, token("controlroom_executor")]
    with process(command, tmp_path / "log"):
        kept(judge(door), tmp_path / "log")


@pytest.mark.slow
def test_the_plain_process_executor_passes(door: Door, people: People, tmp_path: Path) -> None:
    settings = {
        "CONTROLROOM_HOME": str(tmp_path),
        "CONTROLROOM_DATABASE_URL": door.database,
        "CONTROLROOM_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    with process(["-m", "controlroom", "executor", "--slots", "2"], tmp_path / "log", **settings):
        kept(judge(door), tmp_path / "log")


@pytest.mark.slow
def test_the_deno_executor_passes(door: Door, people: People, tmp_path: Path) -> None:
    with started(door, tmp_path / "log", CONTROLROOM_CAPABILITIES="webhook", CONTROLROOM_SLOTS="2"):
        kept(judge(door, "--capability", "webhook"), tmp_path / "log")


@pytest.mark.slow
@pytest.mark.parametrize("fault", faulty.FAULTS)
def test_a_broken_executor_is_found_by_the_rule_that_it_breaks(
    door: Door, people: People, tmp_path: Path, fault: str
) -> None:
    command = ["-m", "tests.contract.faulty", door.url, token("controlroom_executor"), fault]
    with process(command, tmp_path / "log"):
        told = judge(door, "--rule", fault, "--patience", "8")
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"FAIL {fault}: " in told.stdout
    assert "0 of 1 rules kept" in told.stdout


def test_each_rule_has_a_fault() -> None:
    assert set(faulty.FAULTS) == set(PROMISES)


def test_where_nobody_works_every_rule_is_broken_and_nothing_is_left_queued(
    door: Door, people: People, owner: psycopg.Connection
) -> None:
    told = judge(door, "--patience", "1")
    assert told.returncode == 1
    assert f"0 of {len(PROMISES)} rules kept" in told.stdout
    assert owner.execute("select distinct status from ops.runs").fetchall() == [("canceled",)]


MISUSES = {
    "another's project": (("--rule", "fails"), STRANGER, 3, "NOT_FOUND: no project acme/books is visible"),
    "no such rule": (("--rule", "nonsense"), EDITOR, 2, "BAD_INPUT: no rule is called nonsense"),
    "a bad token": (("--token", "a.b.c"), EDITOR, 1, "NOT_ALLOWED: /projects: "),
    "nobody there": (("--url", "http://127.0.0.1:1"), EDITOR, 4, "DATABASE_UNAVAILABLE: http://127.0.0.1:1"),
}


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_said_in_one_line(door: Door, people: People, misuse: str) -> None:
    options, subject, code, said = MISUSES[misuse]
    told = judge(door, *options, subject=subject)
    assert (told.returncode, told.stderr.startswith(said)) == (code, True), told.stderr
    assert len(told.stderr.splitlines()) == 1
