"""What is wrong from outside ends as a typed error in one line, and every table keeps its version and its files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from ops.artifacts import ArtifactStore
from ops.errors import (
    ControlRoomError,
    NotFound,
    SchemaDrift,
    SecretMissing,
    SourceUnreachable,
    SpecInvalid,
    StorageFailed,
)
from ops.model import Scope
from pipelines.lake import Lake
from pipelines.spec_source import parse
from tests.pipelines.fences import Runs
from tests.pipelines.handlers.conftest import Bench

BIG = pl.DataFrame({"id": range(200_000)}).with_columns(noise=(pl.col("id").hash(seed=3) // 2).cast(pl.Int64))


def ingest(dsn: str) -> dict[str, object]:
    source = {"kind": "postgres", "dsn": dsn}
    return {"kind": "ingest", "source": source, "contract": "odoo", "tables": ["res_currency"]}


@pytest.fixture
def bench(empty_database: str, tmp_path: Path) -> Bench:
    lake = Lake(str(tmp_path / "lake"), Scope("acme", "demo", "dev"))
    return Bench(empty_database, tmp_path, lake, Runs(empty_database), ArtifactStore(tmp_path / "artifacts"))


def files(bench: Bench) -> set[str]:
    return {path.name for path in Path(bench.lake.root).rglob("*.parquet")}


def refused(bench: Bench, document: dict[str, object], error: type[ControlRoomError]) -> str:
    """Carries the phase out; it must end as ``error`` in one line, with the lake as it was."""
    before, there = bench.visible(), files(bench)
    with pytest.raises(error) as caught:
        bench.run(document)
    said = str(caught.value)
    assert type(caught.value) is error
    assert "\n" not in said
    assert bench.visible() == before
    assert files(bench) == there, "no file is left that no version names"
    return said


def test_yaml_that_is_none() -> None:
    with pytest.raises(SpecInvalid, match=r"<spec>:\d+:\d+: yaml: "):
        parse("version: 1\nphases: [{name: a\nowner: x\n")


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "transform", "inputs": {"a": "silver.gone"}, "sql": "select 1", "output": {"table": "gold.out"}},
        {"kind": "query", "inputs": {"a": "silver.gone"}, "sql": "select 1"},
        {"kind": "validate", "table": "silver.gone", "expect": [{"rows": {"min": 1}}]},
        {"kind": "publish", "table": "silver.gone", "to": {"artifact": {}}},
    ],
    ids=lambda document: str(document["kind"]),
)
def test_a_table_that_nobody_made(bench: Bench, document: dict[str, object]) -> None:
    assert "table silver.gone does not exist in demo/dev" in refused(bench, document, NotFound)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [({"id": [1]}, "amount"), ({"id": [1], "amount": ["1.5"]}, "`sum` operation not supported")],
    ids=["a column dropped upstream", "a type changed upstream"],
)
def test_a_silver_table_of_another_shape(bench: Bench, columns: dict[str, object], reason: str) -> None:
    total: dict[str, object] = {
        "kind": "transform", "inputs": {"t": "silver.t"}, "sql": "select id, sum(amount) as total from t group by id",
        "output": {"table": "gold.total", "key": ["id"]},
    }  # fmt: skip
    bench.put("silver.t", {"id": [1], "amount": [1.5]})
    bench.run(total)
    bench.put("silver.t", columns)
    assert reason in refused(bench, total, SchemaDrift)


def test_a_source_that_does_not_answer(bench: Bench) -> None:
    said = refused(
        bench, ingest(bench.secret("odoo", "postgresql://reader:hunter2@127.0.0.1:1/odoo")), SourceUnreachable
    )
    assert "127.0.0.1" in said
    assert "hunter2" not in said


def test_a_secret_that_nobody_gave(bench: Bench) -> None:
    assert "secret://file/odoo_dsn" in refused(bench, ingest("secret://file/odoo_dsn"), SecretMissing)


def test_a_source_without_the_contracted_table(bench: Bench) -> None:
    assert "res_currency" in refused(bench, ingest(bench.secret("odoo", bench.url)), SchemaDrift)
    with psycopg.connect(bench.url) as connection:
        connection.execute("create table res_currency (id text)")
    assert "column res_currency.id is text" in refused(bench, ingest(bench.secret("odoo", bench.url)), SchemaDrift)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 kB; skips where nothing can be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_below_the_lake(empty_database: str, tmp_path: Path, full_disk: Path) -> None:
    lake = Lake(str(full_disk), Scope("acme", "demo", "dev"))
    bench = Bench(empty_database, tmp_path, lake, Runs(empty_database), ArtifactStore(tmp_path / "artifacts"))
    bench.put("silver.seed", {"id": [1]})
    grow: dict[str, object] = {
        "kind": "transform",
        "inputs": {"t": "silver.seed"},
        "python": f"{__name__}:big",
        "output": {"table": "gold.big"},
    }
    assert "space" in refused(bench, grow, StorageFailed)
    bench.put("silver.seed", {"id": [2]})


def big(_: object, __: object) -> pl.LazyFrame:
    """More than the small disk holds."""
    return BIG.lazy()


WRITERS: dict[str, dict[str, object]] = {
    "query": {"kind": "query", "inputs": {"t": "gold.t"}, "sql": "select * from t"},
    "parquet": {"kind": "publish", "table": "gold.t", "to": {"artifact": {"format": "parquet"}}},
    "csv": {"kind": "publish", "table": "gold.t", "to": {"artifact": {"format": "csv"}}},
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_below_the_scratch(bench: Bench, full_disk: Path, writer: str) -> None:
    bench.put("gold.t", BIG)
    bench.home = full_disk
    assert "space" in refused(bench, WRITERS[writer], StorageFailed)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_below_the_artifacts(bench: Bench, full_disk: Path, writer: str) -> None:
    bench.put("gold.t", BIG)
    bench.artifacts = ArtifactStore(full_disk)
    refused(bench, WRITERS[writer], StorageFailed)
    for path in full_disk.rglob("sha256/??/*"):
        if len(path.name) == 64:
            bench.artifacts.verify(path.as_uri(), path.name)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_of_the_lake_that_is_gone(bench: Bench, writer: str) -> None:
    bench.put("gold.t", BIG)
    for path in Path(bench.lake.root).rglob("*.parquet"):
        path.unlink()
    with pytest.raises(StorageFailed) as caught:
        bench.run(WRITERS[writer])
    assert "\n" not in str(caught.value)
