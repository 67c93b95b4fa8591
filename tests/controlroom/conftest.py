"""A terminal in a home of the test's own, and specs to submit from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlroom.terminal import Terminal

SPEC = """\
version: 1
pipeline: ages
owner: "@data-owners"
params:
  oldest: {type: integer, default: 90}
phases:
  - name: count
    kind: query
    inputs: {people: silver.people}
    sql: select count(*) as n from people
"""


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, database)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    """Path of a small pipeline, as one would type it in the terminal."""
    (tmp_path / "ages.yaml").write_text(SPEC)
    return "./ages.yaml"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """The table ``silver.people`` of the terminal's lake: three rows."""
    import polars as pl

    path = tmp_path / "lake" / "default" / "demo" / "dev" / "silver" / "people"
    pl.DataFrame({"name": ["Ada", "Alan", "Grace"], "age": [36, 41, 85]}).write_delta(str(path))
    return path
