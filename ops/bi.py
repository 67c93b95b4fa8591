"""What stands in Superset by our hand: ids, digests, certificates. Only SQL decides, as in :mod:`ops.rpc`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from ops.calls import Calls
from ops.model import RunId


@dataclass(frozen=True)
class BiObject:
    """One thing in Superset.

    Attributes:
        kind: database, dataset, chart, dashboard, role or rule.
        digest: of what Superset had when we left it; another one later means that somebody edited it by hand.
        run_id: with ``version`` and ``fingerprint`` of a certified dataset: what earned it.
    """

    kind: str
    name: str
    superset_uuid: UUID | None
    superset_id: int
    digest: str
    dataset_id: UUID | None = None
    run_id: RunId | None = None
    version: int | None = None
    fingerprint: str | None = None
    certified_at: datetime | None = None
    published_at: datetime | None = None


@dataclass(frozen=True)
class Wish:
    """What a run asked of Superset. ``run_id`` is that of the runs of the environment which asked last."""

    project_id: UUID
    org: str
    project: str
    env: str
    run_id: RunId
    asked_at: datetime


@dataclass(frozen=True)
class WaitingWish(Wish):
    """One that is not granted yet, how often it was tried, and what the last try came to."""

    tries: int
    error: str | None


class Bi(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "bi"

    def objects(self, project_id: UUID, env: str) -> list[BiObject]:
        return [BiObject(**row) for row in self._rows("bi_objects", project_id=project_id, env=env)]

    def record(self, project_id: UUID, env: str, objects: Sequence[BiObject]) -> None:
        """Replaces what is recorded of a project's environment. For its admins: publishing gives people rights.

        Raises:
            NotAllowed, NotFound: the caller administers no such project and environment.
        """
        self._do("record_bi_objects", project_id=project_id, env=env, objects=Jsonb([_plain(one) for one in objects]))

    def due_wishes(self) -> list[Wish]:
        """What is to be published now, for whoever publishes for everybody."""
        return [Wish(**row) for row in self._rows("due_bi_wishes")]

    def granted(self, wish: Wish) -> bool:
        """It is published; False where a run asked again meanwhile."""
        return bool(self._value("bi_wish_granted", project_id=wish.project_id, env=wish.env, asked_at=wish.asked_at))

    def refused(self, wish: Wish, error: str) -> None:
        """It could not be published; it is due again later."""
        self._do("bi_wish_refused", project_id=wish.project_id, env=wish.env, asked_at=wish.asked_at, error=error)

    def waiting_wishes(self) -> list[WaitingWish]:
        """All that is not granted, the oldest first, as far as the caller sees the environments."""
        return [WaitingWish(**row) for row in self._rows("waiting_bi_wishes")]

    def note_rollback(
        self,
        project_id: UUID,
        env: str,
        table: str,
        before: Mapping[str, object],
        after: Mapping[str, object],
        note: str | None,
    ) -> None:
        """Writes into the audit log that readers of a published table got earlier rows back.

        Raises:
            NotAllowed: the caller is no editor there.
        """
        self._do(
            "note_rollback",
            project_id=project_id,
            env=env,
            table=table,
            before=Jsonb(before),
            after=Jsonb(after),
            note=note,
        )

    def phase_verdicts(self, run_id: RunId) -> dict[str, bool]:
        """The validate phases of a run, by name, and whether all checks of each held."""
        return {row["name"]: row["passed"] for row in self._rows("phase_verdicts", run_id=run_id)}


def _plain(one: BiObject) -> dict[str, object]:
    return {
        "kind": one.kind,
        "name": one.name,
        "superset_uuid": one.superset_uuid and str(one.superset_uuid),
        "superset_id": one.superset_id,
        "digest": one.digest,
        "dataset_id": one.dataset_id and str(one.dataset_id),
        "run_id": one.run_id and str(one.run_id),
        "version": one.version,
        "fingerprint": one.fingerprint,
    }
