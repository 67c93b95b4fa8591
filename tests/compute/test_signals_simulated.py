"""Faults planted into ninety simulated days: each is found, hardly anything else is, and the score says which it was."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from tests.compute.history import CAUSES, DAYS, HABITS, Habit, Made, history, write

WEEKS = DAYS / 7


@dataclass(frozen=True)
class Judged:
    """What the signals said of one pipeline's history."""

    found: Counter[str]
    missed: list[str]
    misnamed: list[str]
    false: list[str]


def judge(connection: psycopg.Connection, habit: Habit, seed: int) -> Judged:
    """Writes a history, scores each of its runs and compares what was said with what was planted."""
    [[project]] = connection.execute("select ops.ensure_project('default', %s)", [f"p{seed}"]).fetchall()
    runs = history(habit, seed)
    write(connection, project, habit, runs)
    connection.execute("analyze ops.runs, ops.dataset_versions")
    connection.execute(
        "select ops.compute_run_score(id) from ops.runs where project_id = %s and pipeline = %s order by created_at",
        [project, habit.name],
    )
    return _compared(runs, *_said(connection, project, habit.name))


def _said(
    connection: psycopg.Connection, project: UUID, pipeline: str
) -> tuple[Mapping[tuple[UUID, str], str], Mapping[UUID, str]]:
    """What is over its threshold, by run and signal, and the first cause of each score."""
    over = connection.execute(
        """
        select s.run_id, s.signal, round(s.value::numeric, 1) || ' ' || coalesce(s.data ->> 'said', '')
        from ops.signals s
        join ops.signal_weights w on w.signal = s.signal
        join ops.runs r on r.id = s.run_id
        where r.project_id = %s and r.pipeline = %s and s.signal = any (%s) and s.value > w.free_until
        """,
        [project, pipeline, list(CAUSES.values())],
    ).fetchall()
    first = connection.execute(
        """
        select s.run_id, s.breakdown -> 0 ->> 'signal'
        from ops.run_scores s join ops.runs r on r.id = s.run_id
        where r.project_id = %s and r.pipeline = %s
        """,
        [project, pipeline],
    ).fetchall()
    return {(run, signal): said for run, signal, said in over}, dict(first)


def _compared(runs: list[Made], over: Mapping[tuple[UUID, str], str], first: Mapping[UUID, str]) -> Judged:
    planted = {(run.run_id, CAUSES[run.cause]): run for run in runs if run.cause}
    return Judged(
        Counter(run.cause for key, run in planted.items() if key in over and run.cause),
        [f"{run.cause} at {run.at}" for key, run in planted.items() if key not in over],
        [
            f"{run.cause} at {run.at}: {first[run.run_id]}"
            for key, run in planted.items()
            if first[run.run_id] != key[1]
        ],
        [f"{signal}: {said}" for (run, signal), said in over.items() if (run, signal) not in planted],
    )


def _checked(database: str, seed: int, habits: tuple[Habit, ...]) -> None:
    found: Counter[str] = Counter()
    false: list[str] = []
    with psycopg.connect(database, autocommit=True) as connection:
        for habit in habits:
            judged = judge(connection, habit, seed)
            assert judged.missed == [], f"{habit.name}, seed {seed}"
            assert judged.misnamed == [], f"{habit.name}, seed {seed}"
            found += judged.found
            false += [f"{habit.name} {each}" for each in judged.false]
    said = "".join(f"\n  {each}" for each in false)
    sys.stdout.write(f"\nseed {seed}: found {dict(found)}; {len(false)} false in {WEEKS:.0f} weeks{said}\n")
    assert found == dict.fromkeys(CAUSES, len(habits))
    assert len(false) <= WEEKS, false


def test_what_was_planted_in_daily_pipelines_is_found(database: str) -> None:
    _checked(database, 1, HABITS[:3])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2])
def test_what_was_planted_is_found_whatever_the_noise(database: str, seed: int) -> None:
    _checked(database, seed, HABITS)
