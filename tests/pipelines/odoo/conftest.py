"""The two sources of the reference pipelines, our generator's database and the real Odoo 19, as silver and gold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from ruamel.yaml import YAML

from pipelines.changes import LSN, OP, whole
from pipelines.odoo import silver
from pipelines.odoo.generator import generate
from pipelines.sources.postgres import PostgresSource
from tests.postgres import Databases

Frames = dict[str, pl.DataFrame]
REFERENCE = Path(silver.__file__).parents[1] / "reference"
SOURCES = ("generator", "odoo")


@pytest.fixture(scope="session")
def group_template(databases: Databases) -> str:
    """Name of a database with the generator's group of companies at a small scale."""

    def fill(url: str) -> None:
        generate(url, scale=0.1, seed=7)

    return databases.template("template_group", fill)


@pytest.fixture
def group_database(databases: Databases, group_template: str) -> Iterator[str]:
    """URL of a generated database of the test's own."""
    with databases.clone(group_template) as url:
        yield url


@pytest.fixture(scope="module", params=SOURCES)
def source_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """URL of each source in turn, shared by a module: read only."""
    template = request.getfixturevalue("group_template" if request.param == "generator" else "odoo_template")
    with databases.clone(template) as url:
        yield url


def bronze_of(url: str) -> dict[str, pl.LazyFrame]:
    """Every contracted table as a first ingest lands it."""
    frames: dict[str, pl.LazyFrame] = {}
    with PostgresSource(url).snapshot() as snapshot:
        for name, table in silver.contract().tables.items():
            rows = pl.concat(list(whole(snapshot, name, table)), how="diagonal")
            frames[name] = rows.lazy().with_columns(
                pl.lit(1, pl.Int64).alias(LSN), _ingested_at=datetime(2026, 1, 1, tzinfo=UTC)
            )
            assert OP in rows.columns
    return frames


def silver_of(bronze: dict[str, pl.LazyFrame]) -> Frames:
    """Silver of every table, as ``silver.<table>``."""
    frames = {f"silver.{name}": silver.current(rows, name) for name, rows in bronze.items()}
    for name, table in silver.contract().tables.items():
        if any(column.meaning == "company_dependent" for column in table.columns.values()):
            frames[f"silver.{name}_company"] = silver.by_company(bronze[name], name)
    return {name: frame.collect(engine="streaming") for name, frame in frames.items()}


@pytest.fixture(scope="module")
def silver_frames(source_url: str) -> Frames:
    return silver_of(bronze_of(source_url))


@pytest.fixture(scope="session")
def gold_of() -> Callable[[Frames], Frames]:
    """Runs the marts of the reference pipeline over silver frames; gives ``gold.<mart>``."""
    phases = YAML(typ="safe").load((REFERENCE / "silver_to_gold.yaml").read_text())["phases"]

    def run(frames: Frames) -> Frames:
        made = dict(frames)
        for phase in phases:
            if phase["kind"] == "transform":
                context = pl.SQLContext({alias: made[table].lazy() for alias, table in phase["inputs"].items()})
                made[phase["output"]["table"]] = context.execute(phase["sql"]).collect(engine="streaming")
        return {name: frame for name, frame in made.items() if name.startswith("gold.")}

    return run


@pytest.fixture(scope="module")
def gold_frames(silver_frames: Frames, gold_of: Callable[[Frames], Frames]) -> Frames:
    return gold_of(silver_frames)
