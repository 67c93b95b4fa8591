"""What was read a moment ago, for a moment: nobody reads it twice at once, and nobody waits while somebody reads it anew."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Moment(Generic[T]):
    """``read`` is the clock's time before ``value`` was read; below zero: it was not yet."""

    reading: threading.Lock = field(default_factory=threading.Lock)
    read: float = -1.0
    value: T | None = None


class Moments(Generic[T]):
    """Values by key; threads may share it.

    Args:
        fresh: seconds for which a value is given without a new look.
        stale: seconds for which it is still given while somebody else takes that look.
        most: keys that are remembered; those that were asked for last stay.
    """

    def __init__(self, fresh: float, stale: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh, self._stale, self._most, self._clock = fresh, stale, most, clock
        self._moments: OrderedDict[object, _Moment[T]] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, key: object, read: Callable[[], T]) -> T:
        """What ``read``, which never gives None, gives or has just given. What it raises is remembered for nobody."""
        moment, arrived = self._moment(key), self._clock()
        known, age = moment.value, arrived - moment.read
        if known is not None and age < self._fresh:
            return known
        if not moment.reading.acquire(blocking=known is None or age >= self._stale):
            assert known is not None
            return known
        try:
            # Who waited for a look need not take another, however long that one took: it is as fresh as one may have it who
            # came then. Otherwise all who wait for a slow look would take theirs one after the other.
            if moment.value is None or arrived - moment.read >= self._fresh:
                began = self._clock()
                moment.value = read()
                moment.read = began
            return moment.value
        finally:
            moment.reading.release()

    def _moment(self, key: object) -> _Moment[T]:
        with self._changing:
            moment = self._moments.setdefault(key, _Moment())
            self._moments.move_to_end(key)
            while len(self._moments) > self._most:
                self._moments.popitem(last=False)
            return moment
