"""Answers that are known: an earlier run's artifacts in place of carrying a question out, if they are still what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from ops.artifacts import ArtifactStore
from ops.errors import ControlRoomError
from ops.fence import connector
from ops.model import Artifact, Fingerprint, PhaseResult, RunId
from ops.warehouse import Warehouse
from pipelines.handler import KnownAnswer

if TYPE_CHECKING:
    from compute.phase_work import PhaseWork, Places

log = structlog.get_logger()


class KnownAnswers:
    """Implements ``pipelines.handler.Answers`` for one phase."""

    def __init__(self, work: PhaseWork, places: Places) -> None:
        self._work, self._places = work, places

    def known(self, key: str) -> KnownAnswer | None:
        """Reads every byte of it: what was pruned or damaged is no answer.

        Raises:
            LeaseLost: the run is somebody else's by now.
        """
        with connector(self._places.database_url)() as connection:
            said = Warehouse(connection).known_answer(self._work.run_id, self._work.lease_token, key)
        if said is None:
            return None
        store = ArtifactStore(self._places.artifacts_url, self._places.storage_options)
        artifacts = tuple(Artifact(**one) for one in said["artifacts"])
        try:
            for one in artifacts:
                store.verify(one.uri, one.sha256)
        except ControlRoomError as error:
            log.warning("a known answer is not there any more", run=said["run_id"], error=error.message)
            return None
        return KnownAnswer(RunId(said["run_id"]), _result(said, artifacts)) if artifacts else None


def _result(said: Mapping[str, Any], artifacts: tuple[Artifact, ...]) -> PhaseResult:
    return PhaseResult(
        rows_in=said["rows_in"],
        rows_out=said["rows_out"],
        byte_size=said["byte_size"],
        output_fingerprint=Fingerprint(said["output_fingerprint"]),
        artifacts=artifacts,
    )
