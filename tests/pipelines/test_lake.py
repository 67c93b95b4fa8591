"""The lake's tables: names, versions, modes, and the types that it keeps or refuses."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pytest

from ops.errors import BadInput, ControlRoomError, NotFound, SchemaDrift, StorageFailed
from ops.model import DatasetVersion, LeaseToken, RunId, Scope
from pipelines.lake import CommitRef, Lake, Mode, check_table
from pipelines.storage import storage_errors


class OpenFence:
    """Lets everybody through: these tests are about tables, not about owners."""

    @contextmanager
    def hold(self) -> Iterator[OpenFence]:
        yield self

    def build_on(self, table: str) -> int | None: ...

    def record(self, dataset: DatasetVersion) -> None: ...

    def record_adopted(self, dataset: DatasetVersion) -> None: ...


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), Scope("acme", "demo", "dev"))


def put(lake: Lake, rows: pl.DataFrame, mode: Mode = "append", **more: object) -> DatasetVersion:
    ref = CommitRef(RunId(uuid4()), LeaseToken(1), "load")
    return lake.commit(OpenFence(), ref, "silver.t", rows, mode, **more)  # type: ignore[arg-type]


def files(lake: Lake) -> list[str]:
    return sorted(path.name for path in Path(lake.path("silver.t")).glob("*.parquet"))


@pytest.mark.parametrize(
    "name", ["t", "raw.t", "silver.T", "silver.a.b", "silver.", "silver.a-b", "silver.1a", "gold.a\n"]
)
def test_a_wrong_table_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="layer"):
        check_table(name)


def test_a_scope_cannot_leave_its_directory(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        Lake(str(tmp_path), Scope("..", "demo", "dev"))


def test_a_missing_table_is_none_or_not_found(lake: Lake) -> None:
    assert lake.version("silver.t") is None
    with pytest.raises(NotFound, match=r"silver\.t does not exist"):
        lake.scan("silver.t")


def test_a_version_stays_readable_after_the_next(lake: Lake) -> None:
    put(lake, pl.DataFrame({"a": [1]}))
    put(lake, pl.DataFrame({"a": ["now text"], "b": [2.5]}), "replace")
    assert lake.scan("silver.t", 0).collect().to_dicts() == [{"a": 1}]
    assert lake.scan("silver.t").collect().to_dicts() == [{"a": "now text", "b": 2.5}]
    assert lake.schema("silver.t") == {"a": "string", "b": "double"}
    with pytest.raises(NotFound, match="no version 9"):
        lake.scan("silver.t", 9)


def test_no_rows_are_a_table_too(lake: Lake) -> None:
    put(lake, pl.DataFrame(schema={"a": pl.Int64}))
    put(lake, pl.DataFrame(schema={"a": pl.Int64}), "replace")
    assert lake.scan("silver.t").collect().shape == (0, 1)


def test_an_append_may_bring_new_columns_and_lack_old_ones(lake: Lake) -> None:
    put(lake, pl.DataFrame({"a": [1], "b": ["x"]}))
    done = put(lake, pl.DataFrame({"a": [2], "c": [2.5]}))
    rows = lake.scan("silver.t").sort("a").collect()
    assert rows.to_dicts() == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": None, "c": 2.5}]
    assert dict(done.schema) == lake.schema("silver.t") == {"a": "long", "b": "string", "c": "double"}
    assert done.total_rows == 2


def test_an_append_of_another_type_writes_nothing(lake: Lake) -> None:
    put(lake, pl.DataFrame({"a": [1], "b": [1]}))
    before = files(lake)
    with pytest.raises(SchemaDrift, match="a is string, the table has long; b is double, the table has long"):
        put(lake, pl.DataFrame({"a": ["1"], "b": [1.0]}))
    assert files(lake) == before and lake.version("silver.t") == 0


def test_a_merge_updates_inserts_and_deletes_by_key(lake: Lake) -> None:
    put(lake, pl.DataFrame({"id": [1, 2, 3], "v": ["a", "b", "c"]}))
    put(lake, pl.DataFrame({"id": [9], "v": ["far"]}))
    untouched = files(lake)
    done = put(
        lake, pl.DataFrame({"id": [2, 4], "v": ["B", "D"]}), "merge", key=["id"], deletes=pl.DataFrame({"id": [3]})
    )
    assert lake.scan("silver.t").sort("id").collect().rows() == [(1, "a"), (2, "B"), (4, "D"), (9, "far")]
    assert done.total_rows == lake.rows("silver.t") == 4
    active = {Path(uri).name for uri in lake.handle("silver.t").file_uris()}
    assert len(active & set(untouched)) == 1, "a file without a touched key was written again"


def test_many_small_merges_do_not_leave_many_small_files(lake: Lake) -> None:
    for number in range(25):
        put(lake, pl.DataFrame({"id": [number], "v": ["a"]}), "merge", key=["id"])
    assert lake.rows("silver.t") == 25
    assert len(lake.handle("silver.t").file_uris()) <= 18


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (pl.DataFrame({"id": [1, 1, 2], "v": ["a", "b", "c"]}), "1 keys come more than once, first id=1"),
        (pl.DataFrame({"id": [1, None], "v": ["a", "b"]}), "1 rows have a null key"),
        (pl.DataFrame({"id": [1]}), "lacks v"),
        (pl.DataFrame({"v": ["a"]}), "no key column id"),
    ],
)
def test_a_merge_that_cannot_be_meant_writes_nothing(lake: Lake, rows: pl.DataFrame, why: str) -> None:
    put(lake, pl.DataFrame({"id": [1], "v": ["a"]}))
    before = files(lake)
    with pytest.raises(BadInput, match=why):
        put(lake, rows, "merge", key=["id"])
    assert files(lake) == before


def test_scd2_keeps_every_state_with_its_time(lake: Lake) -> None:
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    put(lake, pl.DataFrame({"id": [1, 2], "v": ["a", "x"]}), "scd2", key=["id"], effective_at=days[0])
    done = put(lake, pl.DataFrame({"id": [1, 2], "v": ["b", "x"]}), "scd2", key=["id"], effective_at=days[1])
    assert done.rows == 1, "a row that is as it was begins no new state"
    put(lake, pl.DataFrame({"id": [1], "v": ["b"]}), "scd2", key=["id"], effective_at=days[2],
        deletes=pl.DataFrame({"id": [2]}))  # fmt: skip
    assert lake.scan("silver.t").sort("id", "_valid_from").collect().rows() == [
        (1, "a", days[0], days[1], False),
        (1, "b", days[1], None, True),
        (2, "x", days[0], days[2], False),
    ]


def test_types_that_fit_are_widened_without_loss(lake: Lake) -> None:
    noon = datetime(2024, 1, 1, 12)
    put(lake, pl.DataFrame({
        "u32": pl.Series([2**32 - 1], dtype=pl.UInt32),
        "cat": pl.Series(["x"], dtype=pl.Categorical),
        "enum": pl.Series(["x"], dtype=pl.Enum(["x"])),
        "naive": [noon],
        "manila": pl.Series([noon]).dt.replace_time_zone("Asia/Manila"),
        "deep": [[{"n": 1}]],
    }))  # fmt: skip
    assert lake.scan("silver.t").collect().row(0) == (
        2**32 - 1, "x", "x", noon.replace(tzinfo=UTC), noon.replace(hour=4, tzinfo=UTC), [{"n": 1}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (pl.Series("c", [None]), "null"),
        (pl.Series("c", [time(1)]), "Time"),
        (pl.Series("c", [timedelta(1)]), "Duration"),
        (pl.Series("c", [1], dtype=pl.Int128), "Int128"),
        (pl.Series("c", [datetime(2024, 1, 1)], dtype=pl.Datetime("ns")), "nanoseconds"),
        (pl.Series("c", [[None]]), "null"),
        (pl.Series("c d", [1]), "blanks"),
        (pl.Series("c", [2**63], dtype=pl.UInt64), "conversion"),
    ],
)
def test_types_that_would_bend_are_refused_before_a_byte_is_written(lake: Lake, column: pl.Series, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        put(lake, column.to_frame())
    assert lake.version("silver.t") is None and files(lake) == []


def test_all_faults_of_a_frame_are_named_at_once(lake: Lake) -> None:
    with pytest.raises(BadInput) as refused:
        put(lake, pl.DataFrame({"a": [None], "B": [time(1)], "b": [1]}))
    assert len(refused.value.data["faults"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["frame", "lazy", "reader", "batches"])
def test_the_same_rows_in_any_shape_are_the_same(lake: Lake, kind: str) -> None:
    frame = pl.DataFrame({"id": range(10_000), "v": [str(n % 7) for n in range(10_000)]})
    expected = lake.stage("silver.other", frame).digest
    shapes = {
        "frame": frame,
        "lazy": frame.lazy(),
        "reader": pa.RecordBatchReader.from_batches(frame.to_arrow().schema, frame.to_arrow().to_batches(999)),
        "batches": frame.iter_slices(777),
    }
    done = put(lake, shapes[kind])
    assert (done.fingerprint, done.rows) == (expected.root, 10_000)
    assert lake.fingerprint("silver.t").root == expected.root


def test_a_failure_half_way_leaves_no_file(lake: Lake) -> None:
    def broken() -> Iterator[pl.DataFrame]:
        yield pl.DataFrame({"a": range(200_000)})
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        lake.stage("silver.t", broken())
    assert files(lake) == []


def test_a_full_disk_is_a_storage_failure(lake: Lake) -> None:
    with pytest.raises(StorageFailed, match="No space left on device"), storage_errors("silver.t"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_directory_that_cannot_be_made_is_a_storage_failure(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file stands where the lake should be")
    lake = Lake(str(tmp_path / "lake"), Scope("acme", "demo", "dev"))
    with pytest.raises(ControlRoomError) as refused:
        put(lake, pl.DataFrame({"a": [1]}))
    assert isinstance(refused.value, StorageFailed)
