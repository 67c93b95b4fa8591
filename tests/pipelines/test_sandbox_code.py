"""Python that a spec may name: written in an allowed module, refused at load and again at the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ops.errors import NotAllowed, NotFound
from ops.settings import Settings
from pipelines.code_modules import DEFAULT, VARIABLE
from pipelines.registry import handler_for, named_function
from pipelines.spec_code import python_fault

MODULE = """
import os
import os as system_tools
from os import system
from os.path import join as joined
from subprocess import *
from functools import partial
from pipelines.odoo.silver import table
from .beside import near
from allowed_pkg.beside import near as nearer
gone = os.remove
held = os.path
part = partial(os.system)
bound = "x".join
method = dict(a=1).get
lazy = lambda frames, arguments: frames["a"]
def own(frames, arguments): return frames["a"]
class Made:
    def __call__(self, *a): return None
made = Made()
def __getattr__(name): import os; return getattr(os, name)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("allowed_pkg", "allowed_pkg_not"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "beside.py").write_text("def near(frames, arguments): return frames['a']\n")
        (folder / "code.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv(VARIABLE, "pipelines, allowed_pkg")


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "reference",
    ["os:system", "subprocess:run", "builtins:eval", "shutil:rmtree", "importlib:import_module", "posix:system",
     "pickle:loads", "ops.secrets:SecretStore", "allowed_pkg_not.code:own", "allowed_pk:own", "pipelinesx:f",
     "Pipelines.odoo.silver:table", "tests.pipelines.handlers.functions:times", "compute.phase_work:carry_out"],
)  # fmt: skip
def test_a_module_that_is_not_allowed_is_refused_twice_and_never_imported(reference: str) -> None:
    before = set(sys.modules)
    assert "is not among those whose functions a spec may name" in (python_fault(reference) or "")
    with pytest.raises(NotAllowed, match=VARIABLE):
        named_function(reference)
    assert {name for name in set(sys.modules) - before if name.startswith(reference.partition(":")[0])} == set()


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["os", "system_tools", "system", "joined", "partial"])
def test_what_an_allowed_module_imports_from_elsewhere_is_refused_when_the_spec_is_read(name: str) -> None:
    assert "comes from" in (python_fault(f"allowed_pkg.code:{name}") or "")


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "name",
    [
        "os",
        "system_tools",
        "system",
        "joined",
        "partial",
        "run",
        "Popen",
        "gone",
        "held",
        "part",
        "bound",
        "method",
        "Made",
        "made",
        "popen",
        "__class__",
    ],
)
def test_what_passes_through_an_allowed_module_is_refused_at_the_run(name: str) -> None:
    with pytest.raises((NotAllowed, NotFound)):
        named_function(f"allowed_pkg.code:{name}")


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "reference",
    [
        "allowed_pkg.code:own.__globals__",
        "allowed_pkg.code:own.__code__",
        "allowed_pkg:code.own",
        "allowed_pkg.code:os.system",
    ],
)
def test_a_chain_of_attributes_leads_nowhere(reference: str) -> None:
    assert python_fault(reference)
    with pytest.raises((NotAllowed, NotFound)):
        named_function(reference)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["own", "near", "nearer", "table", "lazy"])
def test_a_function_of_an_allowed_module_is_taken_from_another_too(name: str) -> None:
    assert python_fault(f"allowed_pkg.code:{name}") is None
    assert callable(named_function(f"allowed_pkg.code:{name}"))


def test_handlers_of_ours_need_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "somewhere_else")
    assert handler_for("query").__name__ == "handle"


def test_the_settings_say_what_is_so_without_them() -> None:
    assert Settings.model_fields["code_modules"].default == DEFAULT
