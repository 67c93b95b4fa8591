"""The lake on S3: the same promises over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import polars as pl
import pytest

from ops.errors import StorageFailed
from ops.model import DatasetVersion, LeaseToken, RunId, Scope
from pipelines.lake import CommitRef, Lake
from tests.storage import S3

SCOPE = Scope("acme", "demo", "dev")
ROWS = pl.DataFrame({"id": [1, 2, 3], "v": ["a", "b", "c"]})


class OpenFence:
    @contextmanager
    def hold(self) -> Iterator[OpenFence]:
        yield self

    def build_on(self, table: str) -> int | None: ...

    def record(self, dataset: DatasetVersion) -> None: ...

    def record_adopted(self, dataset: DatasetVersion) -> None: ...


def ref() -> CommitRef:
    return CommitRef(RunId(uuid4()), LeaseToken(1), "load")


@pytest.fixture
def lake(s3: S3) -> Lake:
    return Lake(f"{s3.bucket()}/lake", SCOPE, s3.options)


def test_tables_live_on_s3_as_they_do_on_disk(lake: Lake) -> None:
    first = ref()
    assert lake.version("silver.t") is None
    lake.commit(OpenFence(), first, "silver.t", ROWS, "append")
    again = lake.commit(OpenFence(), first, "silver.t", ROWS, "append")
    assert (again.version, again.adopted) == (0, True)
    merged = ROWS.with_columns(pl.col("id") + 2)
    done = lake.commit(OpenFence(), ref(), "silver.t", merged, "merge", ["id"], deletes=pl.DataFrame({"id": [1]}))
    assert lake.scan("silver.t").sort("id").collect().rows() == [(2, "b"), (3, "a"), (4, "b"), (5, "c")]
    assert lake.scan("silver.t", 0).collect().height == 3
    assert done.byte_size > 0


def test_of_racing_writers_on_s3_nobody_is_lost(lake: Lake) -> None:
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        lake.commit(OpenFence(), ref(), "silver.t", ROWS, "append")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (lake.version("silver.t"), lake.rows("silver.t")) == (3, 12)


def test_one_of_two_writes_of_a_new_file_wins(lake: Lake) -> None:
    url = f"{lake.root}/_landing/x.json"
    assert lake.storage.get(url) is None
    assert lake.storage.put_new(url, b"first")
    assert not lake.storage.put_new(url, b"second")
    assert lake.storage.get(url) == b"first"


def test_a_missing_bucket_is_a_storage_failure(s3: S3) -> None:
    lake = Lake("s3://no-such-bucket-here/lake", SCOPE, s3.options)
    with pytest.raises(StorageFailed):
        lake.commit(OpenFence(), ref(), "silver.t", ROWS, "append")


def test_a_failed_staging_leaves_nothing_on_s3(lake: Lake) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"a": range(200_000)})
        raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError):
        lake.stage("silver.t", broken())
    assert lake.version("silver.t") is None
