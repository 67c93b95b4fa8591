"""The server judges by the same command, requires it, and asks the owners that the routing matrix names."""

from __future__ import annotations

import json
import os
import re

from ruamel.yaml import YAML

from tests.gate.repository import ROOT, section, table

GITHUB = ROOT / ".github"


def test_codeowners_are_those_of_the_routing_matrix() -> None:
    wanted = {row[0]: (row[1], row[2]) for row in table(section("B"))}
    found: dict[str, set[tuple[str, ...]]] = {}
    for block in re.split(r"\n\n+", (GITHUB / "CODEOWNERS").read_text().strip())[1:]:
        area, *lines = block.splitlines()
        found[area.removeprefix("# ")] = {tuple(line.split()[1:]) for line in lines}
    assert found == {area: {owners} for area, owners in wanted.items()}


def test_codeowners_name_only_what_exists() -> None:
    paths = re.findall(r"^/(\S+)", (GITHUB / "CODEOWNERS").read_text(), re.M)
    # A folder may have an owner before its first file.
    assert [path for path in paths if not (ROOT / path).exists() and path != "tests/migrations/"] == []


def test_the_workflow_runs_the_same_command_as_a_developer() -> None:
    workflow = YAML(typ="safe").load((GITHUB / "workflows" / "gate.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["test"]["steps"] if "run" in step]
    assert steps == [".ci/run"]
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    commands = [line for line in run.read_text().splitlines() if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]


def test_the_ruleset_requires_the_check_on_main() -> None:
    ruleset = json.loads((GITHUB / "rulesets" / "main.json").read_text())
    assert ruleset["enforcement"] == "active"
    assert ruleset["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    rules = {rule["type"]: rule.get("parameters", {}) for rule in ruleset["rules"]}
    required = [check["context"] for check in rules["required_status_checks"]["required_status_checks"]]
    jobs = YAML(typ="safe").load((GITHUB / "workflows" / "gate.yml").read_text())["jobs"]
    assert required == list(jobs)
    assert rules["pull_request"]["require_code_owner_review"] is True


def test_templates_and_forms_can_be_read() -> None:
    for form in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")):
        assert isinstance(YAML(typ="safe").load(form.read_text()), dict), form.name
    assert "make test" in (GITHUB / "pull_request_template.md").read_text()
