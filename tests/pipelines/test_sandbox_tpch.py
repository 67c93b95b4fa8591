"""TPC-H's queries through the gate and the confined process, under the limits that there are by default: the right answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import pytest
from deltalake import DeltaTable

from benchmarks.tpch import ask
from benchmarks.tpch.answers import different, unpublished
from benchmarks.tpch.compare import QUERIES
from benchmarks.tpch.data import generated
from benchmarks.tpch.engines import datafusion
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.process import Sandbox

SCALE = 0.01

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not list(distributions(name="tpchgen-cli")), reason="the bench group is not installed"),
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return generated(tmp_path_factory.mktemp("tpch"), SCALE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(warm=True) as one:
        yield one


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_the_answer_is_that_of_another_engine(lake: Mapping[str, Path], sandbox: Sandbox, query: Path) -> None:
    sql = ask.statement(query, SCALE)
    given = {name: GivenTable(str(path), DeltaTable(path).version()) for name, path in lake.items()}
    answer = sandbox.ask(sql, given)
    assert different(answer, datafusion(lake, sql)) is None
    assert unpublished(answer, query.stem, SCALE) is None
    assert sandbox.plan.count("Parquet SCAN ") >= 1
    assert str(lake["lineitem"].parent) not in sandbox.plan
