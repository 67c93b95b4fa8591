"""Two people of two projects that know nothing of each other, and what each of them must never see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from ops.artifacts import ArtifactStore
from ops.database import LOCAL_OPERATOR
from ops.model import NewPhase, RunId
from ops.tenancy import Tenancy
from tests.dashboard.conftest import Served


@dataclass(frozen=True)
class Team:
    """A project with a member, a run of its own and an artifact in it. ``secret`` is in what the run and artifact say."""

    subject: str
    project: UUID
    run_id: RunId
    artifact_id: UUID
    sha256: str
    secret: str


def tenancy(served: Served) -> Tenancy:
    """Memberships, as the database's owner sets them."""
    return Tenancy(served.operator.owner.source)


def team(served: Served, slug: str, subject: str) -> Team:
    """A project ``slug/books`` with ``subject`` as its admin."""
    operator = served.operator
    project = operator.owner.ensure_project(slug, "books")
    tenancy(served).set_member(slug, "books", subject, "admin")
    secret = f"takings_of_{slug}"
    operator.owner.create_run(
        project, "dev", secret, {"version": 1}, "7" * 64, "c" * 40, [NewPhase("bronze", "ingest")]
    )
    claimed = operator.claim()
    operator.executor.start_run(claimed.run_id, claimed.lease_token)
    stored = ArtifactStore(served.home / "artifacts").put_bytes(f"{secret}.csv", "query", secret.encode(), "text/csv")
    artifact_id = operator.executor.register_artifact(claimed.run_id, claimed.lease_token, None, stored)
    operator.executor.fail_run(claimed.run_id, claimed.lease_token, "PHASE_FAILED", f"{secret} do not add up")
    return Team(subject, project, claimed.run_id, artifact_id, stored.sha256, secret)


@contextmanager
def as_role(served: Served, role: str) -> Iterator[None]:
    """The machine's operator, who is an admin of ``default/demo``, is something else for a while."""
    tenancy(served).set_member("default", "demo", LOCAL_OPERATOR, role)
    try:
        yield
    finally:
        tenancy(served).set_member("default", "demo", LOCAL_OPERATOR, "admin")
