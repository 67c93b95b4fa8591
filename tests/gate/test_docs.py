"""What the pages tell a reader to type exists, what they link to is there, and their specs validate."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.spec_source import parse
from tests.gate.reference import commands, options
from tests.gate.repository import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("spec/**/*.md")])
MANIFESTS = [ROOT / "compose.yaml", ROOT / "deploy" / "kuberay.yaml"]
COMMANDS = {name.removeprefix("controlroom "): command for name, command in commands()}
by_path = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.M | re.S)


def typed(page: Path) -> Iterator[str]:
    """Command lines of a page: of its console blocks, and in backticks."""
    for block in blocks(page, "(?:console)?"):
        yield from (line.strip() for line in block.splitlines())
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text())


@by_path
def test_commands_that_a_page_names_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    for line in typed(page):
        if (found := re.match(r"make ([a-z]+)", line)) and found[1] not in targets:
            pytest.fail(f"there is no target: {line}")
        if re.match(r"(\S+=\S* )?(\S+/)?controlroom [a-z]", line) and "|" not in line and "…" not in line:
            check_controlroom(shlex.split(line))


def check_controlroom(words: list[str]) -> None:
    """The command is there and has the options that are given to it."""
    words = words[next(at for at, word in enumerate(words) if word.endswith("controlroom")) + 1 :]
    name = words[0] if words[0] in COMMANDS else " ".join(words[:2])
    assert name in COMMANDS or any(each.startswith(f"{name} ") for each in COMMANDS), f"no command: {words}"
    if name in COMMANDS:
        known = {spelled for each in options(COMMANDS[name]) for spelled in (*each.opts, *each.secondary_opts)}
        given = {word.split("=")[0] for word in words if word.startswith("-")} - {"--debug", "--help"}
        assert given <= known, f"controlroom {name} has no {given - known}"


@by_path
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


@by_path
def test_specs_in_a_page_validate(page: Path) -> None:
    for block in blocks(page, "yaml"):
        if "pipeline:" in block:
            parse(block, page.name)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_starts_only_what_exists(path: Path) -> None:
    started = list(commands_in(list(YAML(typ="safe").load_all(path.read_text()))))
    assert started
    for words in started:
        if words[:2] == ["python", "-m"]:
            assert runs_as_a_module(words[2]), f"python -m {words[2]} would start nothing"
        elif words[0] == "controlroom":
            check_controlroom(words)
        else:
            # What is no program of ours runs in tests/deploy.
            assert (
                words[0] in ("ray", "postgres", "weed", "sh")
                or words[:3] == ["python", "-I", "-m"]
                or words[2].endswith("/prepare.py")
            )


def runs_as_a_module(name: str) -> bool:
    found = importlib.util.find_spec(name)
    if found is not None and found.submodule_search_locations is not None:
        found = importlib.util.find_spec(f"{name}.__main__")
    return found is not None


def commands_in(node: object) -> Iterator[list[str]]:
    """Every ``command`` list below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("command"), list):
            yield [str(word) for word in node["command"]]
        for child in node.values():
            yield from commands_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from commands_in(child)
