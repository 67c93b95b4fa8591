"""People from the terminal: orgs, members, tokens, promotion, sharing, and what the log says of it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import cast

import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from tests.controlroom.terminal import Answer, Terminal


def rows(answer: Answer) -> list[dict[str, object]]:
    assert answer.code == 0, answer.err
    return cast(list[dict[str, object]], answer.json())


def done(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out.strip()


@pytest.fixture
def holder(cluster: Cluster, database: str) -> str:
    """A URL that logs in as controlroom_token."""
    return cluster.token_url(str(conninfo_to_dict(database)["dbname"]))


def test_an_org_its_project_and_its_members(terminal: Terminal) -> None:
    done(terminal("org", "create", "acme", "--admin", "boss"))
    assert terminal("org", "create", "acme", "--admin", "boss").err.startswith("CONFLICT")
    assert terminal("org", "create", "No Slug", "--admin", "boss").code == 2
    project = done(terminal("project", "create", "acme/books"))
    done(terminal("member", "add", "acme/books", "mate", "--role", "editor", "--env", "dev", "--env", "stage"))
    listed = rows(terminal("project", "list", "--json"))
    assert ("acme", "books", project) in [(row["org"], row["project"], row["project_id"]) for row in listed]
    listed = rows(terminal("member", "list", "acme", "--json"))
    assert [(row["subject"], row["project"], row["role"], row["envs"]) for row in listed] == [
        ("boss", None, "admin", ["dev", "stage", "prod"]), ("mate", "books", "editor", ["dev", "stage"]),
    ]  # fmt: skip
    done(terminal("member", "remove", "acme/books", "mate"))
    assert terminal("member", "remove", "acme/books", "mate").code == 3
    assert terminal("member", "remove", "acme", "boss").err.startswith("CONFLICT: boss is the only admin")
    assert terminal("project", "create", "acme").code == 2
    audit = rows(terminal("audit", "acme/books", "--json"))
    assert [row["action"] for row in audit] == ["memberships.delete", "memberships.insert", "projects.insert"]
    assert {row["subject"] for row in audit} == {"local"}
    assert {cast(dict[str, str], row["origin"])["application"] for row in audit} == {"controlroom cli"}


def test_a_token_is_its_owner_and_no_more(terminal: Terminal, holder: str, spec: str) -> None:
    done(terminal("run", "submit", spec))
    done(terminal("member", "add", "default/demo", "mate", "--role", "operator"))
    token = done(terminal("token", "create", "ci", "--subject", "mate", "--role", "operator"))
    mate = Terminal(terminal.home, holder, {"CONTROLROOM_TOKEN": token})
    assert len(rows(mate("run", "list", "--json"))) == 1
    assert done(mate("run", "submit", spec))
    for refused in (
        ("member", "add", "default/demo", "friend"),
        ("token", "create", "child"),
        ("org", "create", "mine", "--admin", "mate"),
        ("secret", "allow", "default/demo", "secret://env/X"),
    ):
        answer = mate(*refused)
        assert (answer.code, answer.err.split(":")[0]) == (1, "NOT_ALLOWED"), refused
    assert [row["name"] for row in rows(mate("token", "list", "--json"))] == ["ci"]
    assert token not in terminal("token", "list", "--json").out
    done(terminal("token", "revoke", "ci", "--subject", "mate"))
    revoked = mate("run", "list")
    assert (revoked.code, revoked.err.split(":")[0]) == (1, "NOT_ALLOWED")
    assert token not in revoked.err


def test_a_token_with_anothers_login_is_refused(terminal: Terminal) -> None:
    answer = Terminal(terminal.home, terminal.database_url, {"CONTROLROOM_TOKEN": "crt_" + "0" * 64})("run", "list")
    assert answer.err.startswith("NOT_ALLOWED: with CONTROLROOM_TOKEN the database's user must be controlroom_token")


def test_a_version_goes_to_stage_after_it_has_succeeded_in_dev(terminal: Terminal, spec: str, people: Path) -> None:
    refused = terminal("run", "submit", spec, "--env", "stage")
    assert refused.err.startswith("CONFLICT: this is version 1 of ages and stage runs none yet")
    executor = terminal.start("executor", "--slots", "1")
    try:
        done(terminal("run", "submit", spec, "--watch"))
    finally:
        executor.kill()
        executor.communicate()
    assert "stage runs version 1 of ages" in done(terminal("pipeline", "promote", "ages", "1", "stage", "--note", "ok"))
    assert done(terminal("run", "submit", spec, "--env", "stage"))
    assert terminal("pipeline", "promote", "ages", "1", "prod").err.startswith("CONFLICT: version 1 of ages has not")
    [version] = rows(terminal("pipeline", "versions", "ages", "--json"))
    assert (version["version"], version["promoted_to"]) == (1, ["stage"])


def test_secrets_and_datasets_are_given_by_name(terminal: Terminal) -> None:
    terminal("run", "list")
    done(terminal("project", "create", "default/other"))
    done(terminal("secret", "allow", "default/other", "secret://env/ODOO_*", "--env", "dev"))
    assert [row["reference"] for row in rows(terminal("secret", "list", "--json"))] == ["secret://env/ODOO_*"]
    done(terminal("secret", "revoke", "default/other", "secret://env/ODOO_*"))
    assert terminal("secret", "allow", "default/other", "hunter2").code == 2
    assert terminal("dataset", "share", "gold.none", str(uuid.uuid4())).code == 3
    assert terminal("dataset", "share", "gold", str(uuid.uuid4())).code == 2
    assert rows(terminal("dataset", "list", "--json")) == rows(terminal("dataset", "grants", "--json")) == []
