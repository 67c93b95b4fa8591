"""What the phases of a run said: their logs, in the order of time, filtered, and followed while the run goes on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from ops.artifacts import ArtifactStore
from ops.errors import BadInput
from ops.model import EventType, RunId
from ops.reads import Reads
from ops.views import ArtifactRow, EventRow

KIND = "log"
LEVELS = ("debug", "info", "warning", "error", "critical")
POLL_SECONDS = 0.5
Line = Mapping[str, object]


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted.

    Args:
        grep: a regular expression that is searched in the message and the facts.
        level: lines of lower levels are left out.

    Raises:
        BadInput: there is no such level, or the expression is none.
    """

    phase: str | None = None
    grep: str | None = None
    level: str | None = None
    _pattern: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.level is not None and self.level not in LEVELS:
            raise BadInput(f"--level {self.level!r} is none; levels are {', '.join(LEVELS)}")
        try:
            object.__setattr__(self, "_pattern", re.compile(self.grep) if self.grep else None)
        except re.error as error:
            raise BadInput(f"--grep {self.grep!r} is no regular expression: {error}") from None

    def wants(self, line: Line) -> bool:
        """Whether the line is to be shown."""
        if self.phase is not None and line.get("phase") != self.phase:
            return False
        level = str(line.get("level", "info"))
        if self.level is not None and level in LEVELS and LEVELS.index(level) < LEVELS.index(self.level):
            return False
        return self._pattern is None or bool(self._pattern.search(text_of(line)))


def lines_of(reads: Reads, store: ArtifactStore, run_id: RunId, wanted: Filter) -> list[Line]:
    """All lines that the run's phases have left so far, oldest first.

    Raises:
        NotFound, StorageFailed: a registered log is not in the store.
    """
    found = [line for artifact in _logs(reads, run_id, wanted) for line in _read(store, artifact)]
    return sorted(filter(wanted.wants, found), key=lambda line: str(line.get("ts")))


def followed(reads: Reads, store: ArtifactStore, run_id: RunId, wanted: Filter) -> Iterator[Line]:
    """The same, then what comes until the run ends: reports of phases at work at once, the lines of each when it ends."""
    shown: set[UUID] = set()
    seq = 0
    while True:
        # The run first: what comes between the reads is then of a run that has not ended yet.
        ended = reads.run(run_id).status.terminal
        fresh: list[Line] = []
        for artifact in _logs(reads, run_id, wanted):
            if artifact.artifact_id not in shown:
                shown.add(artifact.artifact_id)
                fresh += _read(store, artifact)
        while events := reads.events(run_id, after_seq=seq):
            seq = events[-1].seq
            fresh += [_told(event) for event in events if event.type is EventType.PHASE_PROGRESS]
        yield from sorted(filter(wanted.wants, fresh), key=lambda line: str(line.get("ts")))
        if ended:
            return
        time.sleep(POLL_SECONDS)


def text_of(line: Line) -> str:
    """The message, and the facts after it."""
    facts = line.get("facts")
    said = " ".join(f"{name}={value}" for name, value in facts.items()) if isinstance(facts, Mapping) else ""
    return f"{line.get('message', '')} {said}".rstrip()


def _logs(reads: Reads, run_id: RunId, wanted: Filter) -> list[ArtifactRow]:
    return [
        each
        for each in reads.artifacts(run_id)
        if each.kind == KIND and (wanted.phase is None or each.phase == wanted.phase)
    ]


def _read(store: ArtifactStore, artifact: ArtifactRow) -> Iterator[Line]:
    for text in store.read(artifact.uri).decode(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            # The last line of a process that died in it.
            line = {"level": "info", "stream": "log", "message": text}
        yield {"phase": artifact.phase, "attempt": artifact.meta.get("attempt"), **line}


def _told(event: EventRow) -> Line:
    facts = event.data
    done, total = facts.get("done"), facts.get("total")
    share = f"{done} of {total}" if total is not None else str(done)
    return {
        "phase": event.phase,
        "ts": event.ts.isoformat(),
        "stream": "progress",
        "level": "info",
        "message": " ".join(filter(None, [event.message, share])),
    }
