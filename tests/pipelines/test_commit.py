"""Exactly one effect: whoever dies at whichever step, and whoever wakes up afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
import pytest
from deltalake import CommitProperties

from ops.errors import CommitConflict, LeaseLost
from ops.model import DatasetVersion, Scope
from pipelines.commit import FencedCommit
from pipelines.commit_record import CommitRef
from pipelines.lake import Lake, Mode
from pipelines.reconcile import unrecorded
from tests.pipelines.fences import Hold, Owner, Runs

STEPS = ("opened", "planned", "held", "committed", "recorded", "released")
TABLE = "silver.orders"
ROWS = pl.DataFrame({"id": [1, 2, 3], "amount": [1, 2, 3]})


class Killed(BaseException):
    """Stands for a process that is gone: no handler of ours may catch it."""


def die_at(step: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == step:
            raise Killed(step)

    return at


@pytest.fixture
def runs(empty_database: str) -> Runs:
    return Runs(empty_database)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), Scope("acme", "demo", "dev"))


def put(lake: Lake, owner: Owner, mode: Mode = "append", at: Callable[[str], None] | None = None) -> DatasetVersion:
    ref = CommitRef(owner.run_id, owner.token, "load")
    return lake.commit(owner, ref, TABLE, ROWS, mode, ["id"], at=at)


@pytest.mark.parametrize("mode", ["append", "replace", "merge"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("exists", [False, True])
def test_a_crash_at_any_step_leaves_one_effect_after_the_next_owner(
    lake: Lake, runs: Runs, mode: Mode, step: str, exists: bool
) -> None:
    if exists:
        put(lake, runs.claim())
    before = lake.version(TABLE)
    first = runs.claim()
    with pytest.raises(Killed):
        put(lake, first, mode, die_at(step))

    second = put(lake, runs.claim(first.run_id), mode)

    expected = 0 if before is None else before + 1
    assert lake.version(TABLE) == expected
    assert lake.rows(TABLE) == (6 if exists and mode == "append" else 3)
    assert second.version == expected
    assert second.adopted == (step in ("committed", "recorded", "released"))
    assert runs.recorded() == [(TABLE, version) for version in range(expected + 1)]


def test_a_zombie_with_an_old_handle_is_refused(lake: Lake, runs: Runs) -> None:
    zombie = runs.claim()

    def taken_over_while_held(step: str) -> None:
        if step == "held":
            # The zombie's Postgres session was cut; a new owner came and finished.
            put(lake, unfenced(runs.claim(zombie.run_id)))

    with pytest.raises(LeaseLost):
        put(lake, LostLock(zombie.url, zombie.run_id, zombie.token), at=taken_over_while_held)
    assert lake.rows(TABLE) == 3


def test_a_zombie_with_a_new_handle_finds_the_new_owners_commit_and_stops(lake: Lake, runs: Runs) -> None:
    zombie = runs.claim()
    put(lake, runs.claim(zombie.run_id))
    with pytest.raises(LeaseLost):
        put(lake, zombie)
    assert lake.rows(TABLE) == 3


def test_a_zombie_that_finds_nothing_yet_is_stopped_by_the_fence(lake: Lake, runs: Runs) -> None:
    zombie = runs.claim()
    runs.claim(zombie.run_id)
    with pytest.raises(LeaseLost):
        put(lake, zombie)
    assert lake.version(TABLE) is None


class LostLock(Owner):
    """An owner that passed the check, and whose lock Postgres then lost. Later checks are real."""

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        if not getattr(self, "passed", False):
            object.__setattr__(self, "passed", True)
            yield Nothing()
            return
        with super().hold() as real:
            yield real


class Nothing(Hold):
    def __init__(self) -> None:
        pass

    def build_on(self, table: str) -> int | None:
        return None

    def record(self, dataset: DatasetVersion) -> None:
        pass


class Unfenced(Owner):
    """The mutant: nobody asks whose run it is."""

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        yield Nothing()


def unfenced(owner: Owner) -> Owner:
    return Unfenced(owner.url, owner.run_id, owner.token)


def effects_of_a_takeover(lake: Lake, runs: Runs, owner_of: Callable[[Owner], Owner]) -> int:
    """The old owner stops before its commit, the new one finishes, the old one goes on. How many effects?"""
    old = runs.claim()

    def take_over(step: str) -> None:
        if step == "planned" and not getattr(take_over, "done", False):
            take_over.done = True  # type: ignore[attr-defined]
            put(lake, owner_of(runs.claim(old.run_id)))

    with suppress(LeaseLost, CommitConflict):
        put(lake, owner_of(old), at=take_over)
    return lake.rows(TABLE) // ROWS.height


def without_adoption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FencedCommit, "adoptable", lambda self, handle: None)


def without_strict_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    real = CommitProperties

    def rebasing(custom_metadata: dict[str, object], max_commit_retries: int, app_transactions: list[object]) -> object:
        # What Delta does when it is left alone: rebase, and no transaction to conflict with.
        return real(custom_metadata=custom_metadata, max_commit_retries=15)

    monkeypatch.setattr("pipelines.commit.CommitProperties", rebasing)


def test_with_the_fence_a_takeover_has_one_effect(lake: Lake, runs: Runs) -> None:
    put(lake, runs.claim())
    assert effects_of_a_takeover(lake, runs, lambda owner: owner) == 2  # the one before, and one


@pytest.mark.parametrize("mutant", [without_adoption, without_strict_versions])
def test_without_the_guards_the_same_takeover_has_two_effects(
    lake: Lake, runs: Runs, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """The test above has teeth: take the fence and one of Delta's guards away, and it fails."""
    put(lake, runs.claim())
    mutant(monkeypatch)
    assert effects_of_a_takeover(lake, runs, unfenced) == 3


def test_writers_of_different_runs_all_get_their_rows_in(lake: Lake, runs: Runs) -> None:
    owners = [runs.claim() for _ in range(6)]
    start = threading.Barrier(len(owners))

    def work(owner: Owner) -> None:
        start.wait()
        put(lake, owner)

    threads = [threading.Thread(target=work, args=[owner]) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lake.rows(TABLE) == 18
    assert len(runs.recorded()) == 6


def test_the_reconciler_finds_what_delta_has_and_postgres_has_not(lake: Lake, runs: Runs) -> None:
    put(lake, runs.claim())
    lost = runs.claim()
    with pytest.raises(Killed):
        put(lake, lost, at=die_at("committed"))

    found = list(unrecorded(lake, TABLE, recorded={version for _, version in runs.recorded()}))

    assert [(one.dataset.version, one.run_id, one.phase, one.lease_token) for one in found] == [
        (1, lost.run_id, "load", lost.token)
    ]
    assert found[0].dataset.rows == 3


def test_a_transaction_survives_a_checkpoint(lake: Lake, runs: Runs) -> None:
    owner = runs.claim()
    put(lake, owner)
    lake.handle(TABLE).create_checkpoint()
    assert put(lake, runs.claim(owner.run_id)).adopted
