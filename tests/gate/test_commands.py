"""Every command explains itself, stands in the reference, and starts quickly."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from typer.core import TyperCommand

from tests.gate.reference import DOCS, PAGES, commands, options
from tests.gate.repository import ROOT


def test_the_command_line_is_the_one_that_was_promised() -> None:
    top = ["up", "down", "status", "demo", "migrate", "executor", "sql", "doctor"]
    pipeline = [f"pipeline {name}" for name in ["list", "validate", "show"]]
    run = [f"run {name}" for name in ["submit", "list", "show", "watch", "cancel", "retry", "verify"]]
    assert {f"controlroom {name}" for name in [*top, *pipeline, *run]} <= {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[name for name, _ in commands()])
def test_a_command_has_help_for_itself_and_its_options(name: str, command: TyperCommand) -> None:
    assert command.help, f"{name} has no help"
    assert [each.name for each in options(command) if not each.help] == [], f"{name}: options without help"


@pytest.mark.parametrize("page", list(PAGES))
def test_a_page_that_is_made_from_code_is_fresh(page: str) -> None:
    assert (DOCS / page).read_text() == PAGES[page](), "run make docs"


def test_every_listing_has_json() -> None:
    listings = {"status", "doctor", "sql", "pipeline list", "pipeline show", "run list", "run show", "run verify"}
    for name, command in commands():
        if name.removeprefix("controlroom ") in listings:
            assert any("--json" in each.opts for each in options(command)), f"{name} has no --json"


def test_help_imports_nothing_heavy() -> None:
    """Time depends on the machine, imports do not: the heavy ones are what makes a command line slow."""
    heavy = "{'polars', 'ray', 'streamlit', 'deltalake', 'pyarrow', 'sqlalchemy', 'alembic', 'numpy'}"
    script = f"import sys, controlroom.cli; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_help_is_there_at_once() -> None:
    """Beside the help of a program of one command, by the processor's time: what else the machine does slows both."""
    bare = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
    ours, least = [], []
    for _ in range(3):
        ours.append(processor_seconds("-m", "controlroom", "--help"))
        least.append(processor_seconds("-c", bare))
    assert min(ours) < 2 * min(least)


def processor_seconds(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
