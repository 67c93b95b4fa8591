"""Promotion, members and tokens, in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from dashboard.data.source import asking
from ops.tenancy import Tenancy


def promote(project_id: UUID, pipeline: str, version: int, env: str, note: str) -> None:
    """Lets a version run in ``stage`` or ``prod``.

    Raises:
        NotAllowed: the person is no editor there.
        Conflict: the version has not succeeded in the environment below with all its checks.
    """
    with asking() as connection:
        Tenancy(connection).promote_pipeline(project_id, pipeline, version, env, note)


def add_member(org: str, project: str | None, subject: str, role: str, envs: Sequence[str]) -> None:
    """Makes somebody a member, or changes what they are. Raises NotAllowed, BadInput."""
    with asking() as connection:
        Tenancy(connection).set_member(org, project, subject, role, envs)


def remove_member(org: str, project: str | None, subject: str) -> None:
    """Ends a membership. Raises NotAllowed; Conflict: it is the org's last admin's."""
    with asking() as connection:
        Tenancy(connection).remove_member(org, project, subject)


def create_token(name: str, role: str, project_id: UUID | None, envs: Sequence[str], days: int) -> str:
    """The text of a new token of one's own, which is told this once. Raises BadInput, Conflict."""
    with asking() as connection:
        return Tenancy(connection).create_access_token(name, role, project_id, envs, timedelta(days=days))


def revoke_token(name: str) -> None:
    """Ends a token of one's own."""
    with asking() as connection:
        Tenancy(connection).revoke_access_token(name)
