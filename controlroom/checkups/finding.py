"""What a check says: how it is, and where it is not as it should be, what to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError

from ops.errors import ControlRoomError

REPAIR = "repair what is named, then ask again"


@dataclass(frozen=True)
class Finding:
    """Attributes:
    do: what to do about it; empty where all is well.
    """

    what: str
    ok: bool
    said: str
    do: str = ""


class Fault(Exception):
    """Something is not as it should be."""

    def __init__(self, said: str, do: str) -> None:
        super().__init__(said)
        self.said, self.do = said, do


Check = tuple[str, Callable[[], str]]


def findings(checks: Iterator[Check], only: Collection[str] = ()) -> Iterator[Finding]:
    """Asks each, or ``only`` those of that name; none of them keeps the others from speaking."""
    for what, question in checks:
        if not only or what in only:
            yield asked(what, question)


def asked(what: str, question: Callable[[], str]) -> Finding:
    """One finding."""
    try:
        return Finding(what, True, question())
    except Fault as fault:
        return Finding(what, False, fault.said, fault.do)
    except ControlRoomError as error:
        # Our errors end with the way out.
        said, _, do = error.message.rpartition("; ")
        return Finding(what, False, said or error.message, do if said else REPAIR)
    except (OSError, PackageNotFoundError) as error:
        return Finding(what, False, str(error), REPAIR)
