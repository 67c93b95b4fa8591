"""Start, cancel and retry runs in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dashboard.data.definitions import Definition
from dashboard.data.source import asking, person, rpc
from ops.backfills import Backfills
from ops.errors import ControlRoomError
from ops.model import RunId, Trigger
from pipelines.catalogue import new_phases
from pipelines.params import bound

# Of so many runs it is told why an action was refused for them.
TOLD = 8


def start(project_id: UUID, env: str, what: Definition, params: Mapping[str, str], priority: int) -> RunId:
    """Queues a run; ``params`` are texts, as people type them.

    Raises:
        BadInput: the parameters are refused, with every fault.
        NotAllowed: the person may not start runs in that environment.
        Conflict: it is not what is promoted there.
    """
    spec = what.spec
    with rpc() as calling:
        return calling.create_run(
            project_id,
            env,
            spec.pipeline,
            spec.to_json(),
            what.sha256,
            what.git_sha(),
            new_phases(spec),
            params=bound(spec, params),
            priority=priority,
            trigger=Trigger.MANUAL,
            max_attempts=spec.max_attempts,
            timeout_seconds=spec.timeout,
        )


def cancel(run_id: RunId) -> str:
    """Asks for the run to stop; says what came of it."""
    with rpc() as calling:
        return calling.cancel_run(run_id, f"canceled from the page by {person().name}")


def retry(run_id: RunId, from_phase: str | None = None, latest: bool = False) -> RunId:
    """A new run on the same definition and inputs, in which the phases that succeeded stay done.

    Args:
        from_phase: it and what depends on it are carried out again.
        latest: on the definition and the inputs of now.
    """
    with rpc() as calling:
        return calling.retry_run(run_id, from_phase, latest)


def replay(run_id: RunId) -> RunId:
    """A new run of the same on the same inputs, all phases."""
    with asking() as connection:
        return Backfills(connection).replay(run_id)


@dataclass(frozen=True)
class Done:
    """What came of an action on many runs; ``refused`` is how many it was refused for."""

    said: str
    refused: int


def cancel_all(run_ids: Sequence[RunId]) -> Done:
    """Asks each run to stop."""
    return _each(run_ids, cancel, "canceled or asked to stop")


def retry_all(run_ids: Sequence[RunId]) -> Done:
    """A new run for each."""
    return _each(run_ids, retry, "run again")


def _each(run_ids: Sequence[RunId], act: Callable[[RunId], object], done: str) -> Done:
    """Every one in a transaction of its own: one that is refused holds up none of the others."""
    refused: list[str] = []
    for run_id in run_ids:
        try:
            act(run_id)
        except ControlRoomError as error:
            refused.append(f"{str(run_id)[-12:]}: {error.message}")
    said = [f"{len(run_ids) - len(refused)} of {len(run_ids)} {done}.", *refused[:TOLD]]
    if len(refused) > TOLD:
        said.append(f"So were {len(refused) - TOLD} more.")
    return Done("\n\n".join(said), len(refused))
