"""The pages, by file, title and address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A page.

    Attributes:
        address: behind the host; empty for the one that is opened without an address.
        linked: in the navigation; the others are come to from a row.
    """

    file: str
    title: str
    address: str
    linked: bool = True


PLACES: Sequence[Place] = (
    Place("home.py", "Home", ""),
    Place("runs.py", "Runs", "runs"),
    Place("pipelines.py", "Pipelines", "pipelines"),
    Place("data.py", "Data", "data"),
    Place("sql.py", "SQL", "sql"),
    Place("fleet.py", "Fleet", "fleet"),
    Place("alerts.py", "Alerts", "alerts"),
    Place("scores.py", "Scores", "scores"),
    Place("caps.py", "Caps", "caps"),
    Place("coverage.py", "Coverage", "coverage"),
    Place("settings.py", "Settings", "settings"),
    Place("trigger.py", "Start a run", "trigger"),
    Place("run.py", "Run", "run", linked=False),
    Place("pipeline.py", "Pipeline", "pipeline", linked=False),
    Place("dataset.py", "Table", "dataset", linked=False),
)
