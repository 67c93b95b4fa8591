"""Full refreshes: start one, see what it has built beside what readers have, swap it in, roll it back.

Like :mod:`ops.rpc`, only SQL decides. Every method may raise NotFound for what does not exist or is not the caller's to know,
and NotAllowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from ops.calls import Calls
from ops.errors import BadInput, NotFound
from ops.jsonable import jsonable
from ops.model import RefreshAsked, RunId


@dataclass(frozen=True)
class Refresh:
    """One refresh; ``state`` is building, built, failed, canceled, swapped or rolled back.

    ``run_id`` is the last run of its line; ``swapped_by`` is None also where its tolerance swapped it in.
    """

    refresh_id: UUID
    org: str
    project: str
    env: str
    pipeline: str
    run_id: RunId
    state: str
    tolerance: Mapping[str, float] | None
    note: str
    started_by: str | None
    started_at: datetime
    swapped_by: str | None
    swapped_at: datetime | None
    rolled_back_by: str | None
    rolled_back_at: datetime | None


class Refreshes(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "refreshes"

    def start(
        self,
        project_id: UUID,
        env: str,
        asked: RefreshAsked,
        tolerance: Mapping[str, float] | None = None,
        note: str = "",
    ) -> UUID:
        """Queues the run that builds it; for editors.

        Args:
            tolerance: shares (``rows``, ``sums``) within which readers get it without anybody's word; None: never.

        Raises:
            BadInput: the phases are not those of a refresh of the spec, or the tolerance is none.
            Conflict: another version is promoted there.
        """
        phases = [{"name": each.name, "kind": each.kind, "depends_on": list(each.depends_on)} for each in asked.phases]
        found = self._value(
            "start_refresh",
            project_id=project_id,
            env=env,
            pipeline=asked.pipeline,
            spec=Jsonb(asked.spec),
            spec_sha256=asked.spec_sha256,
            git_sha=asked.git_sha,
            params=Jsonb(jsonable(asked.params)),
            phases=Jsonb(phases),
            max_attempts=asked.max_attempts,
            timeout_seconds=asked.timeout_seconds,
            tolerance=None if tolerance is None else Jsonb(tolerance),
            note=note,
        )
        assert isinstance(found, UUID)
        return found

    def swap(self, refresh_id: UUID, note: str = "") -> None:
        """Gives readers what it has built, all tables at once; for editors. A repeat changes nothing.

        Raises:
            IllegalTransition: it is not built, or was rolled back.
            Conflict: readers have something else by now than it was compared with, or a run has written since.
        """
        self._do("swap_refresh", refresh_id=refresh_id, note=note)

    def roll_back(self, refresh_id: UUID, later: bool = False, note: str = "") -> None:
        """Gives readers what they had before the swap; for editors. A repeat changes nothing.

        Args:
            later: set aside also what runs have written upon it since.

        Raises:
            IllegalTransition: it was not swapped in.
            Conflict: runs have written upon it and ``later`` does not say that this goes too; a later refresh stands on it.
        """
        self._do("roll_back_refresh", refresh_id=refresh_id, later=later, note=note)

    def list(
        self, project_id: UUID, env: str | None, limit: int = 50, pipeline: str | None = None
    ) -> Sequence[Refresh]:
        """Newest first."""
        rows = self._rows("refreshes", project_id=project_id, env=env, limit=limit, pipeline=pipeline)
        return [Refresh(**row) for row in rows]

    def find(self, project_id: UUID, env: str, text: str) -> Refresh:
        """The refresh whose id, or whose run's id, begins with ``text``: at least its first four digits.

        Raises:
            BadInput: that is no beginning of an id, or of several.
            NotFound: of none.
        """
        digits = text.strip().lower().replace("-", "")
        if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
            raise BadInput(f"{text!r} is no id of a refresh; give it whole or at least its first four digits")
        found = [
            each
            for each in self.list(project_id, env, 1000)
            if each.refresh_id.hex.startswith(digits) or each.run_id.hex.startswith(digits)
        ]
        if not found:
            raise NotFound(f"no refresh's id begins with {text}; `controlroom dataset refresh list` shows the latest")
        if len(found) > 1:
            raise BadInput(f"several refreshes' ids begin with {text}; give more digits")
        return found[0]

    def comparisons(self, refresh: Refresh) -> Sequence[Mapping[str, object]]:
        """What was found, a mapping a table (:mod:`pipelines.handlers.compare`); empty while it is built."""
        return [row["comparison"] for row in self._rows("comparisons", run_id=refresh.run_id)]


def differences(comparisons: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """What was compared, one line a difference: table, what, before, after."""
    found: list[dict[str, object]] = []
    for one in comparisons:
        table = one["table"]
        found.append({"table": table, "what": "version", "before": one["former"], "after": one["version"]})
        found += [{"table": table, **line} for line in _of_one(one)]
    return found


def _of_one(one: Mapping[str, object]) -> list[dict[str, object]]:
    match one:
        case {"rows": dict(rows), "columns": dict(columns), "changed": list(changed), "sums": dict(sums), "keys": keys}:
            lines: list[dict[str, object]] = [{"what": "rows", "before": rows["before"], "after": rows["after"]}]
            lines += [
                {"what": f"{kind} columns", "after": ", ".join(names)} for kind, names in columns.items() if names
            ]
            lines.append({"what": "changed columns", "after": ", ".join(changed) or "none"})
            lines += [
                {"what": f"sum {name}", "before": each["before"], "after": each["after"]}
                for name, each in sums.items()
                if each["before"] != each["after"]
            ]
            if isinstance(keys, dict):
                lines += [{"what": f"rows {name.replace('_', ' ')}", "after": keys[name]} for name in keys]
            return lines
    return []
