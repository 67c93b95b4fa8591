"""What readers' tables hold, and earlier rows put back, by the command line: for whom it is allowed, and written down."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from controlroom.secret_files import write_secret
from ops.database import connect
from ops.embedded import Cluster
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.controlroom.terminal import Terminal
from tests.pipelines.handlers.conftest import Bench, bench
from tests.pipelines.handlers.test_publish import ask, to_postgres

__all__ = ["bench"]

ROWS: list[Mapping[str, object]] = [{"month": [f"2026-0{number}"], "amount": [Decimal(number)]} for number in (1, 2, 3)]
DSN = "secret://file/readers"


@pytest.fixture
def terminal(bench: Bench, database: str, tmp_path: Path) -> Terminal:
    """A person at a machine whose secrets name the readers' database, for the project that publishes into it."""
    home = tmp_path / "home"
    home.mkdir()
    write_secret(home, "readers", bench.url)
    org, project, env = bench.lake.scope.org, bench.lake.scope.project, bench.lake.scope.env
    more = {"CONTROLROOM_ORG": org, "CONTROLROOM_PROJECT": project, "CONTROLROOM_ENV": env}
    return Terminal(home, database, more)


def publish(bench: Bench, rows: Mapping[str, object], shared: bool = True) -> object:
    bench.put("gold.revenue", rows)
    return bench.run(to_postgres(bench, shared=shared)).metrics["postgres"]


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "plain"])
def test_a_rollback_is_one_command_and_is_written_down(
    bench: Bench, terminal: Terminal, database: str, shared: bool
) -> None:
    publish(bench, ROWS[0], shared)
    publish(bench, ROWS[1], shared)
    shown = terminal("publish", "list", "--dsn", DSN, "--json").json()
    assert isinstance(shown, list)
    assert [(one["table"], one["state"], one["version"]) for one in shown] == [
        ("marts.revenue", "stands", 1), ("marts.revenue", "kept", 0),
    ]  # fmt: skip
    answer = terminal("publish", "rollback", "marts.revenue", "--dsn", DSN, "--note", "wrong rates")
    assert answer.code == 0, answer.err
    assert "version 0 stands again, in place of version 1" in answer.out
    assert ask(bench, "select month from marts.revenue") == [("2026-01",)]
    assert publish(bench, ROWS[1], shared) == "held"
    shown = terminal("publish", "show", "marts.revenue", "--dsn", DSN, "--json").json()
    assert isinstance(shown, list)
    assert [(one["state"], one["version"]) for one in shown] == [("stands", 0), ("rolled back", 1)]
    with psycopg.connect(database) as connection:
        [(before, after)] = connection.execute(
            "select before, after from ops.audit_log where action = 'publications.rollback' and target = 'marts.revenue'"
        ).fetchall()
    assert (before["version"], after["version"], after["note"]) == (1, 0, "wrong rates")


def test_what_cannot_be_put_back_says_why_and_is_not_written_down(
    bench: Bench, terminal: Terminal, database: str
) -> None:
    publish(bench, ROWS[0])
    none = terminal("publish", "rollback", "marts.revenue", "--dsn", DSN)
    assert none.code == 3
    assert "no earlier version of marts.revenue is kept" in none.err
    assert terminal("publish", "show", "marts.other", "--dsn", DSN).code == 3
    elsewhere = Terminal(terminal.home, terminal.database_url, {**terminal.more, "CONTROLROOM_PROJECT": "other"})
    assert elsewhere("publish", "list", "--dsn", DSN, "--json").json() == []
    assert elsewhere("publish", "rollback", "marts.revenue", "--dsn", DSN).code == 3
    assert ask(bench, "select month from marts.revenue") == [("2026-01",)]
    with psycopg.connect(database) as connection:
        assert connection.execute("select from ops.audit_log where action = 'publications.rollback'").fetchall() == []


@pytest.mark.parametrize("role", ["viewer", "operator", "editor"])
def test_editors_roll_back_and_nobody_below(
    bench: Bench, terminal: Terminal, database: str, cluster: Cluster, role: str
) -> None:
    publish(bench, ROWS[0])
    publish(bench, ROWS[1])
    org, project = terminal.more["CONTROLROOM_ORG"], terminal.more["CONTROLROOM_PROJECT"]
    with connect(database, autocommit=True) as owner:
        Rpc(owner).ensure_project(org, project)
        people = Tenancy(owner)
        people.set_member(org, project, "ann", role)
        token = people.create_access_token("t", role, subject="ann")
        holder = cluster.token_url(owner.info.dbname)
    ann = Terminal(terminal.home, holder, {**terminal.more, "CONTROLROOM_TOKEN": token})
    answer = ann("publish", "rollback", "marts.revenue", "--dsn", DSN)
    may = role == "editor"
    assert (answer.code == 0) == may, answer.err
    assert ("NOT_ALLOWED" in answer.err) != may
    assert ask(bench, "select month from marts.revenue") == [("2026-01",) if may else ("2026-02",)]
    with psycopg.connect(database) as connection:
        [written] = connection.execute("select count(*) from ops.audit_log where action = 'publications.rollback'")
    assert written == (int(may),)
