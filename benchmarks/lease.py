"""A run of our own under a real lease, so that a phase can be carried out by hand through the real fence."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from compute.phase_work import PhaseWork, Places
from ops.database import connect
from ops.model import RunId
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from pipelines.catalogue import new_phases
from pipelines.spec import Pipeline, spec_sha256

PROJECT = "bench"
LEASE_SECONDS = 3600.0
NO_COMMIT = "0" * 40


def places(url: str, home: Path) -> Places:
    return Places(url, str(home / "lake"), str(home / "artifacts"), {}, home)


def queue(rpc: Rpc, pipeline: Pipeline, project: str = PROJECT) -> RunId:
    """Queues one run of the pipeline; each project has a lake of its own."""
    project_id = rpc.ensure_project("default", project)
    Tenancy(rpc.source).allow_secret(project_id, "secret://file/*")
    return rpc.create_run(
        project_id, "dev", pipeline.pipeline, pipeline.to_json(), spec_sha256(pipeline), NO_COMMIT,
        new_phases(pipeline),
    )  # fmt: skip


def first_phase(url: str, home: Path, pipeline: Pipeline) -> PhaseWork:
    """Queues, claims and starts a run; its first phase, begun and to be carried out by the caller."""
    with connect(url, autocommit=True) as connection:
        rpc = Rpc(connection)
        queue(rpc, pipeline)
        executor_id = uuid4()
        rpc.register_executor(executor_id, "bench")
        run = rpc.claim_run(executor_id, (), LEASE_SECONDS)[0]
        rpc.start_run(run.run_id, run.lease_token)
        phase = pipeline.phases[0]
        attempt = rpc.start_phase(run.run_id, run.lease_token, phase.name)
    return PhaseWork(
        run.run_id, run.lease_token, run.scope, run.pipeline, run.git_sha, run.root_run, attempt, {},
        phase.model_dump(mode="json", by_alias=True), {}, places(url, home), "bench",
    )  # fmt: skip
