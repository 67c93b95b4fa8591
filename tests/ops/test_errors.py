"""Errors are part of the interface: stable codes, and they survive the way through Ray."""

from __future__ import annotations

import pickle

import pytest

from ops.errors import ControlRoomError, Fault, SpecInvalid, all_errors

KINDS = sorted(all_errors().values(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_every_error_survives_pickling(kind: type[ControlRoomError], protocol: int) -> None:
    error = kind("run 7 is gone; claim again", {"run": 7})
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is kind
    assert (str(back), back.message, back.data, back.code) == (str(error), error.message, {"run": 7}, kind.code)


def test_codes_are_unique() -> None:
    def descendants(kind: type[ControlRoomError]) -> list[type[ControlRoomError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in descendants(child))]

    codes = [kind.code for kind in descendants(ControlRoomError)]
    assert sorted(codes) == sorted(set(codes))
    states = [kind.sqlstate for kind in descendants(ControlRoomError) if kind.sqlstate]
    assert sorted(states) == [f"CR00{number}" for number in range(1, 8)]


def test_a_wrong_spec_lists_every_fault() -> None:
    error = SpecInvalid.of("a.yaml", [Fault("phases", 3, 5, "missing"), Fault("owner", 9, 1, "not a handle")])
    assert str(error).splitlines() == ["a.yaml:3:5: phases: missing", "a.yaml:9:1: owner: not a handle"]
    assert pickle.loads(pickle.dumps(error)).data == error.data
