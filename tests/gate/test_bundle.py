"""The spec-kit bundle is complete, and what it calls done can be looked up."""

from __future__ import annotations

import re

import pytest

from tests.gate.repository import BUNDLE, ROOT, section, table

EPICS = ("A1", "A2", "A3", "A4", "A5", "A6")


@pytest.mark.parametrize("name", ["constitution", "prd", "plan", "tasks"])
def test_the_bundle_has_each_document(name: str) -> None:
    text = (BUNDLE / f"{name}.md").read_text()
    assert text.startswith("# ")
    assert len(text.split()) > 150, f"{name}.md says next to nothing"


def test_the_tasks_keep_the_sections_and_epics_of_the_seed() -> None:
    text = (BUNDLE / "tasks.md").read_text()
    assert re.findall(r"^## (\w)\)", text, re.M) == ["A", "B", "C", "D", "E", "F"]
    assert tuple(re.findall(r"^### EPIC (\w+) ", text, re.M)) == EPICS
    assert len(table(section("B"))) == 7
    assert len(table(section("C"))) == 11


def test_every_ticked_task_names_evidence_that_exists() -> None:
    ticked = re.findall(r"^- \[x\] (.*)$", (BUNDLE / "tasks.md").read_text(), re.M)
    assert ticked
    for task in ticked:
        _, dash, evidence = task.rpartition(" — ")
        paths = re.findall(r"`([^`]+)`", evidence)
        assert dash, f"ticked without evidence: {task}"
        assert paths, f"ticked without evidence: {task}"
        missing = [path for path in paths if not (ROOT / path).exists()]
        assert not missing, f"{task}: no such file: {missing}"


def test_every_task_has_a_known_state() -> None:
    states = re.findall(r"^- \[(.)\]", (BUNDLE / "tasks.md").read_text(), re.M)
    assert set(states) <= {" ", "x", "-"}
