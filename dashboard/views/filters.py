"""What the widgets above a list of runs say, as a filter; and the page of the list that an address names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from dashboard.views.runs import TILES
from ops.model import RunId, RunStatus
from ops.run_filter import RunFilter, filter_of

ANY = "any"
AGES: Mapping[str, timedelta | None] = {
    "any time": None,
    "last hour": timedelta(hours=1),
    "last day": timedelta(days=1),
    "last week": timedelta(days=7),
    "last 30 days": timedelta(days=30),
}
Position = tuple[datetime, RunId]


@dataclass(frozen=True)
class Chosen:
    """The widgets' values; ``states`` are names of tiles, ``project`` is org/project. A ``since`` goes before an ``age``."""

    text: str = ""
    states: Sequence[str] = ()
    pipeline: str = ANY
    project: str = ANY
    env: str = ANY
    triggers: Sequence[str] = ()
    tag: str = ""
    executor: str = ""
    age: str = "any time"
    since: str = ""
    until: str = ""

    def wanted(self, now: datetime) -> RunFilter:
        """The filter.

        Raises:
            BadInput: with every fault of what was typed.
        """
        org, _, project = self.project.partition("/")
        age = AGES.get(self.age)
        # To the minute: what is asked again every two seconds is the same question.
        young = (now - age).replace(second=0, microsecond=0).isoformat() if age else ""
        statuses: list[RunStatus] = [status for state in self.states for status in TILES[state]]
        return filter_of(
            {
                "text": [self.text.strip()],
                "status": [str(status) for status in statuses],
                "pipeline": _one(self.pipeline),
                "org": _one(org),
                "project": _one(project),
                "env": _one(self.env),
                "trigger": list(self.triggers),
                "tags": [part for part in self.tag.split() if part],
                "executor": [self.executor.strip()],
                "since": [self.since.strip() or young],
                "until": [self.until.strip()],
            }
        )

    @property
    def narrow(self) -> bool:
        """Whether anything is filtered at all."""
        return self != Chosen()


def with_zone(text: str, zone: tzinfo) -> str:
    """A time that was typed without a zone gets the typist's, so that the address means the same to everybody; what is no
    time stays as it is, to be refused with the rest."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=zone)).isoformat()


def id_named(text: str) -> UUID | None:
    """The id that a text is; None where it is a name, the end of one, or nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None


def position(text: str | None) -> Position | None:
    """Where an address says that the page begins; None for the newest, and for what is no place."""
    at, _, run_id = (text or "").partition("_")
    try:
        return datetime.fromisoformat(at), RunId(UUID(run_id))
    except ValueError:
        return None


def address_of(place: Position) -> str:
    """The same as it stands in an address."""
    return f"{place[0].isoformat()}_{place[1]}"


def _one(value: str) -> list[str]:
    return [] if value in ("", ANY) else [value]
