"""Runs to play with: queued, or claimed by an executor of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from ops.database import EXECUTOR, Connection, connect
from ops.rpc import Rpc
from tests.operating import Operator


@pytest.fixture
def executor_connection(database: str) -> Iterator[Connection]:
    """As the executors' role: it may call RPCs and nothing else."""
    with connect(database, EXECUTOR, autocommit=True) as opened:
        yield opened


@pytest.fixture
def operator(database: str, connection: Connection, executor_connection: Connection) -> Operator:
    hands = Operator(database, Rpc(connection), Rpc(executor_connection), uuid.uuid4())
    hands.executor.register_executor(hands.executor_id, "tester", slots=4, host="here", version="0")
    return hands
