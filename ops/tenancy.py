"""Orgs, projects, members, tokens, grants, secrets and promotions: who may do what, and the log of who did.

Like :mod:`ops.rpc`, only SQL decides. Every method may raise NotFound for what does not exist or is not the caller's to
know, NotAllowed, Conflict and BadInput.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from ops.calls import Calls
from ops.errors import BadInput, NotFound

ENVS = ("dev", "stage", "prod")
Json = Mapping[str, object]


@dataclass(frozen=True)
class OrgRow:
    org: str
    created_at: datetime
    projects: int


@dataclass(frozen=True)
class ProjectRow:
    org: str
    project: str
    project_id: UUID
    created_at: datetime


@dataclass(frozen=True)
class MemberRow:
    """A membership; ``project`` is None where it is of the whole org."""

    org: str
    project: str | None
    subject: str
    role: str
    envs: Sequence[str]
    created_at: datetime


@dataclass(frozen=True)
class TokenRow:
    """An access token, without its text, which nobody has but its owner."""

    name: str
    subject: str
    role: str
    org: str | None
    project: str | None
    envs: Sequence[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class GrantRow:
    """A dataset that a project may read; names are None where they are not the caller's to know."""

    org: str | None
    project: str | None
    env: str
    dataset: str
    reader_id: UUID
    reader: str | None
    granted_at: datetime


@dataclass(frozen=True)
class SecretRow:
    org: str
    project: str
    reference: str
    envs: Sequence[str]
    granted_at: datetime


@dataclass(frozen=True)
class VersionRow:
    """A version of a pipeline; ``promoted_to`` are the environments that run it now."""

    version: int
    sha256: str
    git_sha: str
    created_at: datetime
    promoted_to: Sequence[str]


@dataclass(frozen=True)
class AuditRow:
    """Who did what to what; ``origin`` says from where."""

    at: datetime
    org: str | None
    project: str | None
    subject: str | None
    acting_role: str
    action: str
    target: str
    before: Json | None
    after: Json | None
    origin: Json
    access_token_id: UUID | None


class Tenancy(Calls):
    """Calls over one connection or a pool, as whoever its role and claims or token say."""

    file = "tenancy"

    def require_env(self, project_id: UUID, env: str) -> None:
        """Raises NotFound where the environment of the project is not the caller's to see."""
        if not self._rows("sees_env", project_id=project_id, env=env):
            raise NotFound(f"the environment {env} of this project is not yours to see; check CONTROLROOM_ENV")

    def create_org(self, org: str) -> UUID:
        """A new org; for the back end and the operator of the installation."""
        return cast(UUID, self._value("create_org", org=org))

    def create_project(self, org: str, project: str) -> UUID:
        """A new project of an org that the caller administers; its id."""
        return cast(UUID, self._value("create_project", org=org, project=project))

    def set_member(self, org: str, project: str | None, subject: str, role: str, envs: Sequence[str] = ENVS) -> None:
        """Makes the subject (the ``sub`` of its claims) a member with that role, or changes what it is.

        Args:
            project: None for every project of the org.
            envs: the environments that the membership is limited to.
        """
        self._do("set_member", org=org, project=project, subject=subject, role=role, envs=list(envs))

    def remove_member(self, org: str, project: str | None, subject: str) -> None:
        """Ends a membership; what it allowed is gone with the next query."""
        self._do("remove_member", org=org, project=project, subject=subject)

    def create_access_token(
        self,
        name: str,
        role: str = "viewer",
        project_id: UUID | None = None,
        envs: Sequence[str] = ENVS,
        lifetime: timedelta = timedelta(days=30),
        subject: str | None = None,
    ) -> str:
        """A new token's text, which is told this once. It allows at most ``role`` and never more than its owner may."""
        return str(
            self._value(
                "create_access_token",
                name=name,
                role=role,
                project_id=project_id,
                envs=list(envs),
                lifetime=lifetime,
                subject=subject,
            )
        )

    def revoke_access_token(self, name: str, subject: str | None = None) -> None:
        """Ends a token of the caller, or of ``subject`` where the caller is the back end."""
        self._do("revoke_access_token", name=name, subject=subject)

    def use_access_token(self) -> str:
        """The subject that the presented token (the setting ``controlroom.token``) makes the caller.

        Raises:
            NotAllowed: it is unknown, expired or revoked.
        """
        return str(self._value("use_access_token"))

    def share_dataset(self, dataset_id: UUID, reader_id: UUID) -> None:
        """Lets another project's runs and members read a dataset that the caller administers."""
        self._do("share_dataset", dataset_id=dataset_id, reader_id=reader_id)

    def unshare_dataset(self, dataset_id: UUID, reader_id: UUID) -> None:
        """Takes that back; runs that have begun keep the version that they pinned."""
        self._do("unshare_dataset", dataset_id=dataset_id, reader_id=reader_id)

    def allow_secret(self, project_id: UUID, reference: str, envs: Sequence[str] = ENVS) -> None:
        """Lets the project's runs resolve a secret reference; a ``*`` at its end stands for any rest."""
        self._do("allow_secret", project_id=project_id, reference=reference, envs=list(envs))

    def disallow_secret(self, project_id: UUID, reference: str) -> None:
        self._do("disallow_secret", project_id=project_id, reference=reference)

    def promote_pipeline(self, project_id: UUID, pipeline: str, version: int, env: str, note: str = "") -> UUID:
        """Lets ``version`` run in ``stage`` or ``prod``.

        Raises:
            Conflict: it has not succeeded in the environment below with all its checks.
        """
        value = self._value(
            "promote_pipeline", project_id=project_id, pipeline=pipeline, version=version, env=env, note=note
        )
        return cast(UUID, value)

    def orgs(self) -> list[OrgRow]:
        return [OrgRow(**row) for row in self._rows("orgs")]

    def projects(self) -> list[ProjectRow]:
        return [ProjectRow(**row) for row in self._rows("projects")]

    def members(self, org: str | None = None, project: str | None = None) -> list[MemberRow]:
        return [MemberRow(**row) for row in self._rows("members", org=org, project=project)]

    def access_tokens(self) -> list[TokenRow]:
        return [TokenRow(**row) for row in self._rows("access_tokens")]

    def dataset_id(self, org: str, project: str, env: str, dataset: str) -> UUID:
        """The id of ``layer.name``.

        Raises:
            BadInput: that is no name of a dataset.
            NotFound: there is none that the caller may see.
        """
        layer, dot, name = dataset.partition(".")
        if not (layer and dot and name):
            raise BadInput(f"{dataset!r} names no dataset; write layer.name, such as gold.revenue")
        value = self._value("dataset_id", org=org, project=project, env=env, layer=layer, name=name)
        if value is None:
            raise NotFound(f"{org}/{project} has no dataset {dataset} in {env}; a run that writes it makes it known")
        return cast(UUID, value)

    def grants(self) -> list[GrantRow]:
        return [GrantRow(**row) for row in self._rows("grants")]

    def secret_grants(self) -> list[SecretRow]:
        return [SecretRow(**row) for row in self._rows("secret_grants")]

    def pipeline_versions(self, project_id: UUID, pipeline: str) -> list[VersionRow]:
        """Newest first."""
        return [VersionRow(**row) for row in self._rows("pipeline_versions", project_id=project_id, pipeline=pipeline)]

    def audit_log(self, project_id: UUID | None = None, limit: int = 50) -> list[AuditRow]:
        """Newest first."""
        return [AuditRow(**row) for row in self._rows("audit_log", project_id=project_id, limit=limit)]
