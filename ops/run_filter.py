"""What a person looks for among runs; the same words on the command line, in the page's address and in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from uuid import UUID

from ops.errors import BadInput
from ops.model import RunId, RunStatus, Trigger


@dataclass(frozen=True)
class RunFilter:
    """Runs that are all of this; what is empty does not filter.

    Attributes:
        status, trigger: any of them.
        text: words of pipeline, error and tags, all of them; the last may be a beginning.
        tags: the run has them all with these values.
        root_run: the run and all its retries.
        since, until: when it was created, ``until`` excluded.
    """

    org: str | None = None
    project: str | None = None
    env: str | None = None
    pipeline: str | None = None
    status: tuple[RunStatus, ...] = ()
    trigger: tuple[Trigger, ...] = ()
    executor: UUID | None = None
    root_run: RunId | None = None
    text: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    def to_json(self) -> dict[str, object]:
        """As ``ops.find_runs`` takes it: only what filters."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: _plain(value) for name, value in given.items() if value}


EVERYTHING = RunFilter()


def filter_of(words: Mapping[str, Sequence[str]]) -> RunFilter:
    """A filter as people write it: in options of a command, in a page's address.

    Args:
        words: name of a field → its values as text. ``tags`` are ``NAME=VALUE``; a time without a zone is UTC, and of
            several single values the last counts.

    Raises:
        BadInput: with every fault at once.
    """
    faults: list[str] = []
    found: dict[str, object] = {}
    for name, values in words.items():
        try:
            if values := [each for each in values if each]:
                found[name] = _READERS[name](values)
        except KeyError:
            faults.append(f"{name} is no filter; known are {', '.join(_READERS)}")
        except ValueError as error:
            faults.append(f"{name}: {error}")
    made = RunFilter(**found)  # type: ignore[arg-type]
    if made.since and made.until and made.since >= made.until:
        faults.append(f"until: {made.until.isoformat()} is not after since, {made.since.isoformat()}")
    if faults:
        raise BadInput("; ".join(faults))
    return made


def _last(values: Sequence[str]) -> str:
    return values[-1]


def _listed(kind: type[RunStatus] | type[Trigger]) -> Callable[[Sequence[str]], tuple[RunStatus | Trigger, ...]]:
    def read(values: Sequence[str]) -> tuple[RunStatus | Trigger, ...]:
        if unknown := [each for each in values if each not in list(kind)]:
            raise ValueError(f"{', '.join(unknown)} is none; known are {', '.join(kind)}")
        return tuple(kind(each) for each in values)

    return read


def _id(values: Sequence[str]) -> UUID:
    try:
        return UUID(values[-1])
    except ValueError:
        raise ValueError(f"{values[-1]!r} is no id") from None


def _tags(values: Sequence[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in values]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise ValueError(f"{wrong[0]!r} has no value; write NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _time(values: Sequence[str]) -> datetime:
    try:
        read = datetime.fromisoformat(values[-1])
    except ValueError:
        raise ValueError(f"{values[-1]!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00+00:00") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


_READERS: Mapping[str, Callable[[Sequence[str]], object]] = {
    **dict.fromkeys(("org", "project", "env", "pipeline", "text"), _last),
    "status": _listed(RunStatus),
    "trigger": _listed(Trigger),
    "executor": _id,
    "root_run": _id,
    "tags": _tags,
    "since": _time,
    "until": _time,
}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [str(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)
