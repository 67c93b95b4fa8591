"""Everybody with an access token and the command line."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlroom.cli import app
from ops.embedded import Cluster
from ops.tenancy import Tenancy
from tests.attack.population import Population
from tests.attack.tally import Tally

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# One of each kind: a role in one environment, a whole project, a whole org.
TRYING = ("viewer@acme+books+dev", "admin@acme+books+dev", "editor@acme+books", "admin@rivals+stock")


def test_no_command_reaches_another(
    population: Population, cluster: Cluster, tally: Tally, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTROLROOM_HOME", str(tmp_path))
    monkeypatch.setenv("CONTROLROOM_DATABASE_URL", cluster.token_url(tally.owner.info.dbname))
    tokens = {
        subject: Tenancy(tally.owner).create_access_token(f"attack {uuid.uuid4().hex[:6]}", "admin", subject=subject)
        for subject in TRYING
    }
    people = {person.subject: person for person in population.people}
    runner = CliRunner()
    for subject, token in tokens.items():
        monkeypatch.setenv("CONTROLROOM_TOKEN", token)
        for scope in population.scopes:
            if people[subject].may_see(scope):
                continue
            monkeypatch.setenv("CONTROLROOM_ORG", scope.org)
            monkeypatch.setenv("CONTROLROOM_PROJECT", scope.project)
            monkeypatch.setenv("CONTROLROOM_ENV", scope.env)
            place, gold = f"{scope.org}/{scope.project}", f"gold.{scope.org}_{scope.project}"
            of_environment = (
                ("run", "show", str(scope.ended), "--json"), ("run", "cancel", str(scope.queued)),
                ("run", "retry", str(scope.ended)), ("run", "list", "--json"), ("run", "search", scope.mark, "--json"),
                ("dataset", "list", "--json"), ("dataset", "share", gold, str(scope.project_id)),
                ("secret", "allow", place, "secret://env/X"), ("token", "create", "x", "--role", "admin"),
                ("member", "add", place, "friend", "--role", "admin", "--env", scope.env),
                ("org", "create", "x", "--admin", "x"),
            )  # fmt: skip
            of_project = (
                ("project", "create", f"{scope.org}/x"), ("member", "remove", place, f"admin@{scope.org}+{scope.project}"),
                ("pipeline", "versions", "job", "--json"), ("audit", place, "--json"), ("member", "list", place, "--json"),
            )  # fmt: skip
            for command in (*of_environment, *(() if people[subject].belongs_to(scope) else of_project)):
                answer = runner.invoke(app, list(command))
                listing = "--json" in command
                leaked = scope.mark in answer.output if listing else answer.exit_code == 0
                tally.tried(leaked, f"{subject}: {' '.join(command)} on {scope.mark}: {answer.output[:200]}")
    # The tokens are the test's own, and their use is remembered with them and in the log.
    tally.allowed.update({"ops.access_tokens", "private.access_token_hashes", "ops.audit_log"})
