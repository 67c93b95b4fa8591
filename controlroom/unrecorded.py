"""What stands in the lake and not in Postgres, for the operator to look at."""

from __future__ import annotations

from controlroom.session import Session
from ops.model import Scope
from pipelines.lake import Lake
from pipelines.reconcile import unrecorded


def found(session: Session, env: str) -> list[dict[str, object]]:
    """Commits to the known tables of the settings' project that no run has recorded, oldest first in each table.

    Raises:
        StorageFailed: a table's log cannot be read.
    """
    settings = session.settings
    lake = Lake(settings.lake, Scope(settings.org, settings.project, env), settings.storage_options)
    known = session.reads.recorded_versions(session.project_id(), env)
    return [
        {
            "table": table, "version": each.dataset.version, "run_id": each.run_id, "phase": each.phase,
            "rows": each.dataset.rows, "fingerprint": each.dataset.fingerprint,
        }
        for table, versions in sorted(known.items())
        for each in unrecorded(lake, table, versions)
    ]  # fmt: skip
