"""Whatever a handler puts into metrics or messages can be stored."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from ops.jsonable import jsonable
from ops.model import LeaseToken, PhaseStatus, TableVersion


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("12.50"), "12.50"),
        (float("nan"), None),
        (float("inf"), None),
        ("nul\x00byte", "nulbyte"),
        (True, True),
        (LeaseToken(7), 7),
        (PhaseStatus.FAILED, "failed"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ({1: (1, 2.5)}, {"1": [1, 2.5]}),
        ({"b", "a"}, ["a", "b"]),
        (Path("/x"), "/x"),
        (TableVersion("a.b", 1), {"table": "a.b", "version": 1, "fingerprint": None}),
        ([TableVersion("a.b", 1)], [{"table": "a.b", "version": 1, "fingerprint": None}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_type_has_one_form(value: object, expected: object) -> None:
    assert jsonable(value) == expected
