"""The command line refuses what it does not know in one line, before anything is started."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks import __main__ as command


def test_an_unknown_name_is_one_line_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["quee"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "there is no benchmark 'quee'; there are dashboard, history, ingest, medallion, overhead, publish, queue, rls, "
        "sitting, tpch, wake"
    ]


@pytest.mark.parametrize(
    "arguments",
    [["queue", "--rows", "5"], ["ingest", "--rows", "0"], ["queue", "--scale", "1"], ["tpch", "--scale", "0"]],
)
def test_rows_and_scale_are_for_those_that_have_such_a_size(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("module", command.MODULES.values())
def test_every_name_has_a_comparison_behind_it(module: str) -> None:
    assert callable(import_module(module).run)
