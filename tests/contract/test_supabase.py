"""What ``supabase db push`` applies gives the schema that ``controlroom migrate`` gives, at the first push and later."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import psycopg
import pytest

from migrations.apply import migrate, objects, revisions
from migrations.snapshot import SNAPSHOT, dump
from migrations.supabase import FOLDER, PLACEHOLDER, held, in_step

CONFIG = tomllib.loads((FOLDER.parent / "config.toml").read_text())


def push(url: str, files: dict[str, str], done: set[str]) -> None:
    """As the command line does it: each version that the database does not remember, in order, in a transaction."""
    assert done <= {name.partition("_")[0] for name in files}, "remote versions are missing here"
    for name, text in sorted(files.items()):
        version = name.partition("_")[0]
        if version not in done:
            with psycopg.connect(url) as connection:
                connection.execute(text.encode())
            done.add(version)


def test_the_folder_is_in_step() -> None:
    files = held(FOLDER)
    assert in_step(files) == files, "run `python -m migrations.supabase`"
    names = [name.partition("_")[2].removesuffix(".sql") for name in files]
    assert [name for name in names if name != "objects"] == revisions()
    assert names[-1] == "objects"
    assert all(re.fullmatch(r"\d{14}_\w+\.sql", name) for name in files)


def test_a_push_gives_the_schema_and_migrate_can_take_over(empty_database: str) -> None:
    push(empty_database, held(FOLDER), set())
    assert dump(empty_database) == SNAPSHOT.read_text()
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select version_num from private.schema_revision").fetchall() == [(revisions()[-1],)]
        assert connection.execute("select count(*) from ops.projects").fetchall() == [(1,)]
    migrate(empty_database)
    assert dump(empty_database) == SNAPSHOT.read_text()


def test_a_change_is_pushed_as_one_more_file(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files, done = held(FOLDER), set[str]()
    push(empty_database, files, done)
    changed = tmp_path / "changed.sql"
    changed.write_text("comment on function api.start_run(uuid, bigint) is 'changed';\n")
    monkeypatch.setattr("migrations.supabase.SQL", tmp_path)
    monkeypatch.setattr("migrations.supabase._revision", lambda name: files[next(one for one in files if name in one)])
    monkeypatch.setattr("migrations.supabase.objects", lambda: [changed])
    later = in_step(files)
    assert len(later) == len(files) + 1
    assert later[max(files)] == PLACEHOLDER
    push(empty_database, later, done)
    with psycopg.connect(empty_database) as connection:
        asked = "select obj_description('api.start_run(uuid, bigint)'::regprocedure, 'pg_proc')"
        assert connection.execute(asked).fetchall() == [("changed",)]
    assert in_step(later) == later


def test_a_revision_that_was_edited_is_refused() -> None:
    files = held(FOLDER)
    first = min(files)
    with pytest.raises(ValueError, match=r"revisions never change"):
        in_step({**files, first: files[first] + "select 1;"})


def test_the_settings_name_what_is_there() -> None:
    assert CONFIG["api"]["schemas"] == ["api"]
    for function in CONFIG["functions"].values():
        assert (FOLDER.parent / function["entrypoint"]).is_file()
        assert (FOLDER.parent / function["import_map"]).is_file()
    assert len(objects()) > 40
