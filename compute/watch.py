"""The steward's part in being watched: that it lives, and what has ended."""

from __future__ import annotations

from ops.database import Connection
from ops.settings import Settings
from ops.watching import Watching

# The same as compute.probes.checks.CHECKS, which knows Polars.
PROBED = ("Jobs/Workflows", "Pipeline authoring", "SQL Warehouse", "Table format", "Catalog/Governance", "Lineage")


def pulse(connection: Connection, _: Settings) -> None:
    """Says that the steward goes its rounds, and counts what has ended since the last time."""
    Watching(connection).steward_round()


def probe(connection: Connection, settings: Settings) -> None:
    """Proves once a day what the CAPS report says."""
    if settings.probe_hour >= 0 and Watching(connection).probes_due(settings.probe_hour, PROBED) is not None:
        # Late: the probes know Delta and Polars, and the steward needs them once a night.
        from compute.probes.work import nightly

        nightly(connection, settings)
