"""The probes' run, and what is written down about it: nightly by the steward, or when somebody asks.

One run serves all probes. It is known by an idempotency key, so whoever is cut off between any two steps finds it again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from compute.probes.checks import CHECKS, SEED, SEED_ROWS, SPEC, Sight, Unproven
from ops.artifacts import ArtifactStore
from ops.database import Connection
from ops.errors import ControlRoomError, DatabaseUnavailable
from ops.model import RunId, Scope
from ops.reads import Reads
from ops.rpc import Rpc
from ops.settings import Settings
from ops.views import RunDetail
from ops.watching import Watching
from pipelines.catalogue import git_sha, new_phases
from pipelines.lake import Lake
from pipelines.spec import spec_sha256
from pipelines.spec_source import load

log = structlog.get_logger()
PROJECT, ENV = "probes", "dev"
PATIENCE = timedelta(hours=1)


def nightly(connection: Connection, settings: Settings) -> None:
    """The steward's duty: once a day a run is made, and when it has ended it is judged. Each time one small step."""
    if settings.probe_hour < 0:
        return
    due = Watching(connection).probes_due(settings.probe_hour, list(CHECKS))
    if due is None:
        return
    run_id = submit(connection, settings, f"probes/{due:%Y-%m-%dT%H}")
    run = Reads(connection).run(run_id)
    if run.status.terminal:
        judge(connection, settings, run)
    elif datetime.now(UTC) - run.created_at > PATIENCE:
        give_up(connection, run)


def submit(connection: Connection, settings: Settings, key: str) -> RunId:
    """Queues the probes' run in a project of its own, or finds the one of that key.

    Raises:
        StorageFailed: the lake cannot be written.
    """
    lake, pipeline, rpc = _lake(settings), load(SPEC), Rpc(connection)
    _seed(lake)
    return rpc.create_run(
        rpc.ensure_project(settings.org, PROJECT),
        ENV,
        pipeline.pipeline,
        pipeline.to_json(),
        spec_sha256(pipeline),
        git_sha(SPEC.parent),
        new_phases(pipeline),
        idempotency_key=key,
        max_attempts=2,
        tags={"probe": key},
    )


def judge(connection: Connection, settings: Settings, run: RunDetail) -> dict[str, bool]:
    """Has each probe look at the ended run and writes down what it saw; capability → whether it is proven."""
    store = ArtifactStore(settings.artifacts, settings.storage_options)
    sight = Sight(run, connection, Rpc(connection), Reads(connection), _lake(settings), store)
    return {capability: _judged(connection, capability, sight) for capability in CHECKS}


def give_up(connection: Connection, run: RunDetail) -> None:
    """Nobody carried the run out: that is what every probe has seen."""
    said = f"run {run.run_id} has not ended within {PATIENCE}; does an executor work? (`controlroom doctor`)"
    Rpc(connection).cancel_run(run.run_id, "the probes waited in vain")
    for capability, check in CHECKS.items():
        _write(connection, capability, check.__name__, False, said, run)


def _judged(connection: Connection, capability: str, sight: Sight) -> bool:
    check = CHECKS[capability]
    try:
        said, proven = check(sight), True
    except DatabaseUnavailable:
        raise
    except (Unproven, ControlRoomError) as failure:
        said, proven = str(failure), False
    except Exception as error:
        # A probe that stumbles has proven nothing, and must not keep the others from speaking.
        log.exception("a probe stumbled", capability=capability)
        said, proven = f"{type(error).__name__}: {error}", False
    _write(connection, capability, check.__name__, proven, said, sight.run)
    return proven


def _write(connection: Connection, capability: str, test: str, ok: bool, said: str, run: RunDetail) -> None:
    evidence = {"said": said, "run": str(run.run_id), "test": f"compute.probes.checks:{test}"}
    Watching(connection).record_evidence(capability, test, ok, evidence)


def _lake(settings: Settings) -> Lake:
    return Lake(settings.lake, Scope(settings.org, PROJECT, ENV), settings.storage_options)


def _seed(lake: Lake) -> None:
    """The one table that no run of ours has written: what the run starts from."""
    if lake.version(SEED) is None:
        import polars as pl

        from pipelines.storage import storage_errors

        with storage_errors(SEED):
            pl.DataFrame({"id": range(SEED_ROWS)}).write_delta(
                lake.path(SEED), storage_options=dict(lake.storage.options), mode="ignore"
            )
