"""What ``controlroom doctor`` asks the database; for its owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ops.calls import Calls

# Any number that nobody else locks; the same for every follower of a database (controlroom/bi_follow.py).
FOLLOWER_ELECTION = 0x42495749


@dataclass(frozen=True)
class ServerRow:
    """The server as it is now; ``allowed`` are the connections that it allows to who is no superuser."""

    version: str
    number: int
    login: str
    now: datetime
    connections: int
    allowed: int
    byte_size: int


@dataclass(frozen=True)
class UnservedRow:
    """Queued runs that need capabilities which no live executor has."""

    needs: str
    runs: int


@dataclass(frozen=True)
class UntoldRow:
    """Runs (at most 1000) that the receiver of lineage has not been told of in full.

    Attributes:
        seconds: how long the first event has waited.
        error: what the receiver, or whoever was to speak to it, said last.
    """

    runs: int
    seconds: float
    error: str | None


class Checkup(Calls):
    """Questions over one connection."""

    file = "checkup"

    def server(self) -> ServerRow:
        """Version, login, clock and room."""
        return ServerRow(**self._rows("server")[0])

    def owner(self) -> str | None:
        """Who owns the schema; None where it is not there."""
        found = self._rows("owner")[0]["owner"]
        return None if found is None else str(found)

    def may_act_as(self, owner: str) -> bool:
        """Whether this login has the owner's rights."""
        return bool(self._value("may_act", owner=owner))

    def revision(self) -> str | None:
        """The newest revision that was applied."""
        if not self._rows("owner")[0]["revised"]:
            return None
        value = self._value("revision")
        return None if value is None else str(value)

    def oldest_transaction(self) -> tuple[float, str | None]:
        """For how many seconds another transaction has been open, and whose it is."""
        row = self._rows("oldest_transaction")[0]
        return float(row["seconds"]), row["who"]

    def partitions(self) -> tuple[bool, bool]:
        """Whether events of this month, and of the next, have a place."""
        row = self._rows("partitions")[0]
        return bool(row["this_month"]), bool(row["next_month"])

    def untold(self) -> UntoldRow:
        """What waits for the receiver of lineage; nothing where telling was never switched on."""
        return UntoldRow(**self._rows("untold")[0])

    def unserved(self, within: timedelta) -> list[UnservedRow]:
        """What waits for capabilities that no executor seen ``within`` has."""
        return [UnservedRow(**row) for row in self._rows("unserved", within=within)]

    def superset_followed(self) -> bool:
        """Whether somebody publishes to Superset what phases ask for."""
        return bool(self._value("superset_followed", election=FOLLOWER_ELECTION))
