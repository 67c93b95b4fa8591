"""Who may do what, and what was done, as people look at it: own roles, promotions, the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from ops.calls import Calls
from ops.database import Claims, Connection, Headers, at_once
from ops.model import RunId
from ops.sql import queries

Json = Mapping[str, object]
Position = tuple[datetime, UUID]
# Behind every entry. Bounds instead of "if given": the index then begins at the page.
NEWEST: Position = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True)
class MyProject:
    """A project of the caller's; ``roles`` maps each environment that the caller may see to the role there."""

    org: str
    project: str
    project_id: UUID
    created_at: datetime
    roles: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """An org, or one project of it."""

    org: str
    project: str | None

    def __str__(self) -> str:
        return self.org if self.project is None else f"{self.org}/{self.project}"


@dataclass(frozen=True)
class PromotionRow:
    """``evidence_run`` earned it in the environment below; ``subject`` is None for the installation."""

    id: UUID
    org: str
    project: str
    pipeline: str
    version: int
    env: str
    subject: str | None
    note: str
    evidence_run: RunId | None
    promoted_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who did what to what; ``project`` is None for what concerns the whole org."""

    id: UUID
    at: datetime
    project: str | None
    subject: str | None
    acting_role: str
    action: str
    target: str
    before: Json | None
    after: Json | None
    origin: Json
    access_token_id: UUID | None


@dataclass(frozen=True)
class AuditFilter:
    """``who`` is a whole subject, ``what`` part of an action's name; both may be empty."""

    since: datetime
    who: str = ""
    what: str = ""


class Access(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "access"

    def my_roles(self) -> list[MyProject]:
        """For a person's connection."""
        return [MyProject(**row) for row in self._rows("my_roles")]

    def my_reach(self) -> str:
        """What the caller may see, as one word; who has the same sees the same rows of runs, datasets, alerts, schedules.

        What is a person's own (tokens, the audit log) is not told by it.
        """
        return str(self._rows("my_reach")[0]["reach"])

    def administered(self) -> list[Place]:
        """Where the caller may change members; for a person's connection."""
        return [Place(**row) for row in self._rows("administered")]

    def is_installation_admin(self) -> bool:
        """Whether the caller may change what all orgs share: an admin of every org, or who works at the machine."""
        return bool(self._rows("is_installation_admin")[0]["able"])

    def promotions(self, limit: int = 100) -> list[PromotionRow]:
        """Newest first."""
        return [PromotionRow(**row) for row in self._rows("promotions", limit=limit)]

    def audit(
        self, project_id: UUID, wanted: AuditFilter, before: Position | None = None, limit: int = 50
    ) -> list[AuditEntry]:
        """What was done in a project, newest first; ``before`` is the last one's time and id of the page before."""
        before_at, before_id = before or NEWEST
        rows = self._rows(
            "audit", project_id=project_id, limit=limit, before_at=before_at, before_id=before_id, **vars(wanted)
        )
        return [AuditEntry(**row) for row in rows]

    def audit_of_org(
        self, org: str, wanted: AuditFilter, before: Position | None = None, limit: int = 50
    ) -> list[AuditEntry]:
        """The same of an org and all its projects."""
        before_at, before_id = before or NEWEST
        rows = self._rows(
            "audit_of_org", org=org, limit=limit, before_at=before_at, before_id=before_id, **vars(wanted)
        )
        return [AuditEntry(**row) for row in rows]


def reach_of(connection: Connection, role: str, claims: Claims, headers: Headers) -> str:
    """:meth:`Access.my_reach` of somebody, over an idle connection in autocommit: what a live page asks most often."""
    return str(at_once(connection, queries(Access.file)["my_reach"], role, claims, headers)[0][0])
