"""Who knocks: an editor and a viewer of one project, and a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from postgrest import SyncPostgrestClient

from ops.database import Connection
from ops.rpc import Rpc
from ops.tenancy import Tenancy

EDITOR, VIEWER, STRANGER = "editor@acme", "viewer@acme", "stranger@rivals"

SPEC: dict[str, Any] = {"version": 1, "pipeline": "demo", "phases": [{"name": "bronze", "kind": "ingest"}]}


@dataclass(frozen=True)
class People:
    project: UUID
    strangers_project: UUID

    @classmethod
    def of(cls, owner: Connection) -> People:
        rpc, members = Rpc(owner), Tenancy(owner)
        project, other = rpc.ensure_project("acme", "books"), rpc.ensure_project("rivals", "books")
        members.set_member("acme", "books", EDITOR, "editor")
        members.set_member("acme", "books", VIEWER, "viewer")
        members.set_member("rivals", "books", STRANGER, "editor")
        return cls(project, other)

    def run(self, **more: object) -> dict[str, Any]:
        """Arguments of ``create_run`` for a run of one phase."""
        return {
            "p_project_id": str(self.project),
            "p_env": "dev",
            "p_pipeline": "demo",
            "p_spec": SPEC,
            "p_spec_sha256": "5" * 64,
            "p_git_sha": "a" * 40,
            "p_phases": SPEC["phases"],
            **more,
        }


def call(client: SyncPostgrestClient, rpc: str, /, **arguments: Any) -> Any:
    """What the RPC returns; its arguments without their ``p_``."""
    return client.rpc(rpc, {f"p_{key}": value for key, value in arguments.items()}).execute().data
