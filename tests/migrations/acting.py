"""People of an org, acting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ops.database import AUTHENTICATED, Connection, acting_as
from ops.tenancy import Tenancy

Act = Callable[[Tenancy], object]
BOSS, MATE, GUEST = "boss@acme", "mate@acme", "guest@elsewhere"


@contextmanager
def person(connection: Connection, subject: str) -> Iterator[Tenancy]:
    with acting_as(connection, AUTHENTICATED, {"sub": subject}) as acting:
        yield Tenancy(acting)
