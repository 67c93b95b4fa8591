"""The repository as its gate sees it: tracked files, and the seed's tables in the bundle."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "spec" / "lakehouse-control-room"


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """Files under version control that exist; skips where the project came without its history."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files are part of the project")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def section(letter: str) -> str:
    """The text of one lettered section of tasks.md."""
    found = re.search(rf"^## {letter}\) .*?\n(.*?)(?=^## |\Z)", (BUNDLE / "tasks.md").read_text(), re.M | re.S)
    assert found, f"tasks.md has no section {letter}"
    return found[1]


def table(text: str) -> list[list[str]]:
    """Rows of the first Markdown table in ``text``, without its head."""
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]
