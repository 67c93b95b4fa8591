"""Runs to play with: queued, or claimed by an executor of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.database import EXECUTOR, Connection, connect


@pytest.fixture
def executor_connection(database: str) -> Iterator[Connection]:
    """As the executors' role: it may call RPCs and nothing else."""
    with connect(database, EXECUTOR, autocommit=True) as opened:
        yield opened
