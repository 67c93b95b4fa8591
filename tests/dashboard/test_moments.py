"""What was read a moment ago: read once, given on while somebody reads anew, and never for long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.data.moments import Moments


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.looked = 0

    def __call__(self) -> float:
        self.looked += 1
        return self.now


class Source:
    """Counts its reads; while ``held``, a read waits."""

    def __init__(self) -> None:
        self.reads = 0
        self.begun, self.held = threading.Event(), threading.Event()
        self.held.set()

    def read(self) -> int:
        self.reads += 1
        number = self.reads
        self.begun.set()
        assert self.held.wait(30)
        return number


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def moments(clock: Hand) -> Moments[int]:
    return Moments(fresh=1.5, stale=3.0, most=2, clock=clock)


def test_a_look_is_taken_once_for_a_moment_and_by_key(moments: Moments[int], clock: Hand) -> None:
    source = Source()
    assert [moments.of("a", source.read) for _ in range(5)] == [1] * 5
    clock.now += 1.4
    assert moments.of("a", source.read) == 1
    assert moments.of("b", source.read) == 2
    clock.now += 0.2
    assert moments.of("a", source.read) == 3


def test_nobody_waits_while_somebody_looks_anew_unless_what_is_known_is_old(moments: Moments[int], clock: Hand) -> None:
    source = Source()
    moments.of("a", source.read)
    clock.now += 2.0
    source.held.clear()
    source.begun.clear()
    with ThreadPoolExecutor(3) as people:
        first = people.submit(moments.of, "a", source.read)
        assert source.begun.wait(30)
        assert moments.of("a", source.read) == 1  # at once: the other's look is still held
        clock.now += 1.5
        late = [people.submit(moments.of, "a", source.read) for _ in range(2)]
        source.held.set()
        assert first.result(30) == 2
        # They waited for that look; by then it was old itself, or it was theirs.
        assert {each.result(30) for each in late} <= {2, 3}
    assert source.reads <= 3


def test_those_who_wait_for_a_slow_look_take_none_of_their_own(moments: Moments[int], clock: Hand) -> None:
    source = Source()
    moments.of("a", source.read)
    clock.now += 10.0
    source.held.clear()
    source.begun.clear()
    with ThreadPoolExecutor(9) as people:
        first = people.submit(moments.of, "a", source.read)
        assert source.begun.wait(30)
        clock.now += 1.0
        looked = clock.looked
        waiting = [people.submit(moments.of, "a", source.read) for _ in range(8)]
        while clock.looked < looked + 8:
            time.sleep(0.001)
        clock.now += 5.0
        source.held.set()
        assert {each.result(30) for each in (first, *waiting)} == {2}
    assert source.reads == 2


def test_what_a_look_raises_is_kept_for_nobody(moments: Moments[int]) -> None:
    def fail() -> int:
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        moments.of("a", fail)
    assert moments.of("a", Source().read) == 1


def test_what_was_asked_for_least_lately_is_forgotten(moments: Moments[int]) -> None:
    source = Source()
    for key in ("a", "b", "a", "c", "a", "b"):
        moments.of(key, source.read)
    assert source.reads == 4  # a, b, c, and b once more


def test_many_at_once_look_once(moments: Moments[int]) -> None:
    source = Source()
    with ThreadPoolExecutor(16) as people:
        assert set(people.map(lambda _: moments.of("a", source.read), range(200))) == {1}
    assert source.reads == 1
