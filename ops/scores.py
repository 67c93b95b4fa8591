"""Scores and what they are made of: signals, weights, gates, and what a score would have been.

Like :mod:`ops.rpc`, only SQL decides. Every method may raise NotFound for what does not exist or is not the caller's to
know, NotAllowed and BadInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ops.calls import Calls
from ops.errors import NotFound
from ops.jsonable import jsonb
from ops.model import RunId


@dataclass(frozen=True)
class Part:
    """What one signal gave to a score, of what it could have given; ``said`` is what was seen, in words."""

    signal: str
    value: float
    points: Decimal
    possible: Decimal
    said: str | None


@dataclass(frozen=True)
class Score:
    """A score from 0 to 100; the points of ``parts`` add up to it, what cost most comes first."""

    score: Decimal
    sentence: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class TrendRow:
    """The score of one run of a pipeline."""

    run_id: RunId
    env: str
    created_at: datetime
    status: str
    score: Decimal
    sentence: str


@dataclass(frozen=True)
class SignalValue:
    """What a signal was in one run; ``said`` is the same in words, where it has any."""

    run_id: RunId
    value: float
    said: str


@dataclass(frozen=True)
class WeightRow:
    """How a signal counts. Up to ``free_until`` it costs nothing, ``half_at`` beyond that half of its points are gone."""

    signal: str
    weight: float
    direction: str
    half_at: float
    free_until: float
    description: str


@dataclass(frozen=True)
class GateRow:
    """The least score that is asked of runs; ``pipeline`` is None for all that have no gate of their own."""

    org: str
    project: str
    env: str
    pipeline: str | None
    min_score: Decimal
    created_at: datetime
    created_by: str | None


class Scores(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "scores"

    def of(self, run_id: RunId) -> Score:
        """The score that a run was given.

        Raises:
            NotFound: it has none yet.
        """
        rows = self._rows("score", run_id=run_id)
        if not rows:
            raise NotFound(f"run {run_id} has no score; one is given within seconds of a run's end")
        return _score(rows[0])

    def what_if(self, run_id: RunId, weights: Mapping[str, float]) -> Score:
        """The score that other weights would have given; nothing is kept.

        Raises:
            BadInput: a weight is negative, or of no signal.
        """
        found: Mapping[str, object] = self._value("what_if_score", run_id=run_id, weights=jsonb(weights))
        return _score(found)

    def trend(self, project_id: UUID, pipeline: str, limit: int = 20) -> list[TrendRow]:
        """Scores of a pipeline's runs, newest first."""
        rows = self._rows("trend", project_id=project_id, pipeline=pipeline, limit=limit)
        return [TrendRow(**row) for row in rows]

    def signal_names(self, run_ids: Sequence[RunId]) -> list[str]:
        """The signals that any of the runs has, also those that count for nothing."""
        return [str(row["signal"]) for row in self._rows("signal_names", run_ids=list(run_ids))]

    def signal_values(self, run_ids: Sequence[RunId], signal: str) -> dict[RunId, SignalValue]:
        """Of the runs those that have the signal."""
        rows = self._rows("signal_values", run_ids=list(run_ids), signal=signal)
        return {row["run_id"]: SignalValue(**row) for row in rows}

    def weights(self) -> list[WeightRow]:
        """Heaviest first."""
        return [WeightRow(**row) for row in self._rows("weights")]

    def set_weight(
        self, signal: str, weight: float, half_at: float | None = None, free_until: float | None = None
    ) -> None:
        """Changes how a signal counts from now on; what is None stays."""
        self._do("set_signal_weight", signal=signal, weight=weight, half_at=half_at, free_until=free_until)

    def gates(self) -> list[GateRow]:
        return [GateRow(**row) for row in self._rows("gates")]

    def set_gate(self, project_id: UUID, env: str, pipeline: str | None, min_score: float | None) -> None:
        """Asks a score of the run that earns a version its promotion to ``env``; None takes the gate away."""
        self._do("set_score_gate", project_id=project_id, env=env, pipeline=pipeline, min_score=min_score)


def _score(row: Mapping[str, object]) -> Score:
    parts = row["breakdown"]
    assert isinstance(parts, list)
    return Score(
        Decimal(str(row["score"])),
        str(row["sentence"]),
        tuple(
            Part(
                one["signal"], float(one["value"]), Decimal(str(one["points"])), Decimal(str(one["possible"])), one.get("said")
            )
            for one in parts
        ),
    )  # fmt: skip
