"""Runs from the terminal: submit, look, cancel; what is wrong is said in one line with an exit code of its own."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import cast
from uuid import UUID

import psycopg

from tests.controlroom.terminal import Answer, Terminal


def _rows(answer: Answer) -> list[dict[str, object]]:
    assert answer.code == 0, answer.err
    return cast(list[dict[str, object]], answer.json())


def _executor(terminal: Terminal) -> str:
    """The name of the first that works."""
    asking = "select name from ops.executors where state = 'active'"
    until = time.monotonic() + 60
    with psycopg.connect(terminal.database_url, autocommit=True) as connection:
        while not (found := connection.execute(asking).fetchone()):
            assert time.monotonic() < until, "no executor came up"
            time.sleep(0.05)
    return str(found[0])


def test_a_submitted_run_carries_its_parameters_and_is_listed(terminal: Terminal, spec: str) -> None:
    answer = terminal("run", "submit", spec, "--param", "oldest=120")
    run_id = answer.out.strip()
    assert UUID(run_id)
    listed = _rows(terminal("run", "list", "--json", "--env", "dev"))
    assert _rows(terminal("run", "list", "--json", "--env", "stage")) == []
    assert [(row["run_id"], row["pipeline"], row["status"]) for row in listed] == [(run_id, "ages", "queued")]
    shown = terminal("run", "show", run_id[:13], "--json").json()
    assert isinstance(shown, dict)
    assert shown["run"]["params"] == {"oldest": 120}
    assert shown["run"]["git_sha"] == "unversioned"
    assert [phase["name"] for phase in shown["phases"]] == ["count"]
    assert shown["event_chain"] == {"ok": True, "events": 1, "first_bad_seq": None}


def test_the_same_key_gives_the_same_run_and_other_content_is_refused(terminal: Terminal, spec: str) -> None:
    first, again = (terminal("run", "submit", spec, "--key", "monday") for _ in range(2))
    assert first.out == again.out
    other = terminal("run", "submit", spec, "--key", "monday", "-p", "oldest=1")
    assert (other.code, other.err.split(":")[0]) == (1, "CONFLICT")


def test_a_queued_run_is_canceled_at_once_and_watching_it_ends_with_1(terminal: Terminal, spec: str) -> None:
    run_id = terminal("run", "submit", spec).out.strip()
    assert terminal("run", "cancel", run_id, "--reason", "not today").out.strip() == "canceled"
    watched = terminal("run", "watch", run_id)
    assert watched.code == 1
    assert "RUN_CANCELED" in watched.out


def test_an_executor_is_drained_by_name(terminal: Terminal) -> None:
    executor = terminal.start("executor", "--slots", "1")
    try:
        name = _executor(terminal)
        assert terminal("drain", "nobody").code == 3
        asked = terminal("drain", name)
        assert (asked.code, asked.out.strip()) == (0, f"{name} is asked to drain")
        executor.communicate(timeout=60)
        assert executor.returncode == 0
        gone = terminal("drain", name)
        assert (gone.code, "no executor of the last day is called" in gone.err) == (3, True)
    finally:
        executor.kill()


def test_an_executor_takes_a_run_to_its_end_and_drains_on_sigterm(terminal: Terminal, spec: str, people: Path) -> None:
    executor = terminal.start("executor", "--slots", "1")
    try:
        watched = terminal("run", "submit", spec, "--watch")
        assert watched.code == 0, watched.out + watched.err
        assert "PHASE_SUCCEEDED count" in watched.out
        shown = terminal("run", "show", watched.out.split()[0])
        assert "count.parquet" in shown.out
        executor.send_signal(signal.SIGTERM)
        executor.communicate(timeout=60)
        assert executor.returncode == 0
    finally:
        executor.kill()
        executor.communicate()


def test_what_is_wrong_is_one_line_with_an_exit_code(terminal: Terminal, spec: str) -> None:
    wrong = {
        ("run", "submit", "agse"): (3, "NOT_FOUND: no pipeline is called agse"),
        ("run", "submit", spec, "-p", "oldset=1"): (
            2,
            "BAD_INPUT: ages has no parameter 'oldset'; did you mean oldest?",
        ),
        ("run", "submit", spec, "-p", "oldest"): (2, "BAD_INPUT: 'oldest' is no parameter; write NAME=VALUE"),
        ("run", "show", "00000000"): (3, "NOT_FOUND: no run's id begins with 00000000"),
        ("run", "list", "--status", "done"): (2, "BAD_INPUT: status: done is none; known are"),
    }
    for arguments, (code, message) in wrong.items():
        answer = terminal(*arguments)
        assert answer.code == code, arguments
        assert answer.err.startswith(message), answer.err
        assert len(answer.err.splitlines()) == 1


def test_a_traceback_is_shown_only_with_debug(terminal: Terminal) -> None:
    unreachable = Terminal(terminal.home, "postgresql://nobody@127.0.0.1:1/none")
    quiet, loud = unreachable("run", "list"), unreachable("run", "list", "--debug")
    assert quiet.code == 4
    assert quiet.err.startswith("DATABASE_UNAVAILABLE: ")
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err
