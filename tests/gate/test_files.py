"""Tracked files: no machine's paths, no registry's address, no file that grew too long; locks carry hashes."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.gate.repository import ROOT, tracked

LONGEST_LINES = 400
LOCKS = ("runtime", "dev", "bench", "docs", "uv")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py", "manager.py"}
# Written apart, so that this file does not hold what it looks for.
MACHINE = re.compile("|".join(["/work" + "/main", "/ho" + "me/[a-z]+/", "bash" + "_jobs", "/ro" + r"ot/\."]))
REGISTRY = re.compile(
    "|".join(
        [
            "pypi" + r"\.org",
            "pythonhosted" + r"\.org",
            "registry\\.np" + "mjs",
            "index" + "-url *[=h]",
            "find" + "-links",
        ]
    )
)


def test_no_tracked_file_names_this_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line) or REGISTRY.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_pins_with_hashes_and_names_no_host(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    unpinned = [entry.splitlines()[0] for entry in entries if "==" not in entry.splitlines()[0]]
    unhashed = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert (unpinned, unhashed) == ([], [])
    assert "://" not in text


def test_every_dependency_is_in_the_locks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {"runtime": project["project"]["dependencies"], **project["dependency-groups"]}
    for group, requirements in wanted.items():
        locked = set(re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements" / f"{group}.txt").read_text(), re.M))
        named = [one for one in requirements if isinstance(one, str)]
        names = {re.split(r"[\[<>=;~! ]", one)[0].lower() for one in named}
        assert names <= locked, f"{group}: run make lock"


def test_no_python_file_is_longer_than_the_house_allows() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tracked("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_LINES} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.name in FORBIDDEN_NAMES] == []


def test_every_package_says_what_lives_there_and_imports_nothing() -> None:
    packages = [path for path in tracked("*/__init__.py") if path.relative_to(ROOT).parts[0] not in ("tests",)]
    for path in packages:
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, f"{path.relative_to(ROOT)}: a docstring and nothing else"
        assert isinstance(body[0], ast.Expr), f"{path.relative_to(ROOT)}: a docstring and nothing else"


def test_every_folder_with_python_is_a_package() -> None:
    folders = {path.parent for path in tracked("*.py")} - {ROOT}
    assert sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_folders_import_downwards_only() -> None:
    answer = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-2000:]
