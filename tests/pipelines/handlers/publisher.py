"""One publish in a process of its own, to be killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from ops.artifacts import ArtifactStore
from ops.model import Scope, TableVersion
from ops.secrets import SecretStore
from pipelines.handler import Context
from pipelines.lake import Lake
from pipelines.registry import handler_for
from tests.pipelines.fences import Owner
from tests.pipelines.handlers.conftest import one_phase


@dataclass(frozen=True)
class Order:
    """``home`` is the bench's, ``document`` a phase as a spec has it."""

    home: Path
    document: Mapping[str, object]
    owner: Owner


def publish(order: Order) -> None:
    """Carries it out and writes what came of it below the home, named after the lease token."""
    phase, owner, home = one_phase(order.document), order.owner, order.home
    lake = Lake(str(home / "lake"), Scope("acme", "demo", "dev"))
    pins = {table: TableVersion(table, lake.version(table) or 0, None) for table in phase.reads}
    ctx = Context(
        owner.run_id, owner.token, lake.scope, "bench", "0" * 40, 1, {}, pins, lake, ArtifactStore(home / "artifacts"),
        owner, SecretStore(home), lambda *args, **facts: None, Path(mkdtemp(dir=home)),
    )  # fmt: skip
    said = handler_for(phase.kind)(ctx, phase).metrics["postgres"]
    (home / f"said{owner.token}").write_text(str(said))
