"""``doctor``, ``status``, ``down`` and ``migrate``: what is missing is named, and nothing is started unasked."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.controlroom.terminal import Terminal


def _findings(terminal: Terminal) -> dict[str, bool]:
    found = terminal("doctor", "--json").json()
    assert isinstance(found, list)
    return {str(each["what"]): bool(each["ok"]) for each in found}


def test_looking_starts_nothing(tmp_path: Path) -> None:
    bare = Terminal(tmp_path, "")
    assert not _findings(bare)["postgres"]
    status = bare("status", "--json")
    rows = status.json()
    assert isinstance(rows, list)
    assert (status.code, any(row["running"] for row in rows)) == (4, False)
    assert not (tmp_path / "postgres.json").exists()


def test_down_where_nothing_runs_is_harmless(tmp_path: Path) -> None:
    bare = Terminal(tmp_path, "")
    assert [bare("down").code, bare("down").code] == [0, 0]


def test_migrate_brings_an_empty_database_to_the_newest_schema(empty_database: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, empty_database)
    assert not _findings(terminal)["schema"]
    assert [terminal("migrate").code, terminal("migrate").code] == [0, 0]
    assert _findings(terminal)["schema"]
    with psycopg.connect(empty_database) as connection:
        members = connection.execute("select subject, role from ops.memberships").fetchall()
    assert members == [("local", "admin")]
    assert not _findings(terminal)["executors"]


def test_wrong_settings_are_named_together_and_a_password_never(tmp_path: Path) -> None:
    wrong = Terminal(tmp_path, "mysql://root:hunter2secret@127.0.0.1/none", {"CONTROLROOM_ENV": "moon"})
    answer = wrong("run", "list")
    assert answer.code == 2
    assert answer.err.startswith("SETTINGS_INVALID: ")
    assert "CONTROLROOM_ENV" in answer.err
    assert "CONTROLROOM_DATABASE_URL" in answer.err
    assert "hunter2secret" not in answer.err


def test_unknown_usage_ends_with_2(tmp_path: Path) -> None:
    bare = Terminal(tmp_path, "")
    assert bare("run", "sbmit").code == 2
    assert bare("run", "list", "--jsn").code == 2
