"""A query over a lake on S3: its process reaches the store with the options that it was handed, and no other address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from ops.errors import ControlRoomError
from pipelines.sandbox.job import GivenTable
from pipelines.sandbox.process import Sandbox
from tests.pipelines.sandbox_lake import Ground, ground
from tests.storage import S3


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path) as made:
        yield made


def given(s3: S3) -> GivenTable:
    url = f"{s3.bucket()}/lake/acme/demo/dev/gold/t"
    write_deltalake(url, pl.DataFrame({"id": [1, 2, 3]}).to_arrow(), storage_options=s3.options)
    return GivenTable(url, DeltaTable(url, storage_options=s3.options).version(), s3.options)


def test_a_table_on_s3_is_read_without_credentials_in_the_environment(s3: S3) -> None:
    with Sandbox() as sandbox:
        assert sandbox.ask("select sum(id) as s from t", {"t": given(s3)}).rows() == [(6,)]


def test_another_table_of_the_same_store_is_not_read(s3: S3) -> None:
    from pipelines.frames import query

    mine, other = given(s3), given(s3)
    frames = {"t": pl.scan_delta(mine.path, storage_options=dict(mine.options))}
    query(frames, "select * from t", {}, [mine.path])
    with pytest.raises(ControlRoomError, match="none of its tables"):
        query({"t": pl.scan_delta(other.path, storage_options=dict(other.options))}, "select * from t", {}, [mine.path])


def test_a_store_that_is_somewhere_else_is_not_reached(s3: S3, here: Ground) -> None:
    """The process may connect to the port of its store's endpoint; a table that lies at another one is out of reach."""
    table = given(s3)
    assert table.port != GivenTable("s3://elsewhere/t", 0, {"AWS_ENDPOINT_URL": here.url}).port
    assert GivenTable("s3://elsewhere/t", 0).port == 443
    assert here.tables["t"].port is None
