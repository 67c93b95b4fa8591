"""The extension point: what a phase handler is given and what it gives back.

A handler is a plain function of (context, phase) → result. It may touch only what the context hands it, so it can be
called in a unit test with no Postgres, no Ray and no dashboard. The implementations are in :mod:`pipelines.handlers`;
third parties add kinds through the entry-point group ``controlroom.handlers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ops.model import Artifact, DatasetVersion, LeaseToken, PhaseResult, RunId, Scope, TableVersion
from pipelines.sandbox.limits import DEFAULT_LIMITS, QueryLimits
from pipelines.sandbox.servers.address import DEFAULT_SERVERS

if TYPE_CHECKING:
    from pipelines.lake import Lake
    from pipelines.partition import Partition
    from pipelines.spec import Phase


class Hold(Protocol):
    """The run row is locked: no other owner can appear until the hold ends."""

    def build_on(self, table: str) -> int | None:
        """The version that a commit to the table builds upon, the same until the hold ends: None for the newest as it stands,
        -1 for an empty table, another where what came after it is set aside (a refresh that waits or was rolled back)."""
        ...

    def record(self, dataset: DatasetVersion) -> None:
        """Registers a Delta commit in the transaction of the hold; visible when the hold is released."""
        ...


class Fence(Protocol):
    """Stands between a phase and everything that others can see."""

    def hold(self) -> AbstractContextManager[Hold]:
        """Checks the lease and holds the run row until the block ends.

        Raises:
            LeaseLost: the token is not the run's current one, or the lease has expired by the database's clock.
        """
        ...

    def record_adopted(self, dataset: DatasetVersion) -> None:
        """Registers a commit that a former owner left in the table; same check, same errors."""
        ...


class ArtifactWriter(Protocol):
    """Stores bytes under their sha256. Registration under the fence is the executor's work."""

    def put_bytes(
        self, name: str, kind: str, data: bytes, content_type: str, meta: Mapping[str, object] = ...
    ) -> Artifact: ...

    def put_file(
        self, name: str, kind: str, path: Path, content_type: str, meta: Mapping[str, object] = ...
    ) -> Artifact: ...


class Secrets(Protocol):
    def resolve(self, reference: str) -> str:
        """Turns ``secret://env/NAME`` or ``secret://file/PATH`` into its value; any other text is returned as it is.

        Raises:
            SecretMissing: nothing is stored under that reference.
        """
        ...


class Answers(Protocol):
    def known(self, key: str) -> KnownAnswer | None:
        """The answer that was given before under that key in the run's project and environment, if its bytes are all there
        and right."""
        ...


@dataclass(frozen=True)
class KnownAnswer:
    """What an earlier run of the same question left."""

    run_id: RunId
    result: PhaseResult


@dataclass(frozen=True)
class QueryRights:
    """What a query may show.

    Attributes:
        personal: table (as the phase reads it) → columns that are or may be personal data.
        shown: whether whoever asked may see them.
        question: it is a person's question: an answer that is known may stand for carrying it out.
    """

    personal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown: bool = True
    question: bool = False


ALL_SHOWN = QueryRights()


class Progress(Protocol):
    def __call__(self, done: float, total: float | None = None, message: str = "", **facts: object) -> None:
        """Reports progress: ``done`` of ``total`` in the phase's own unit (rows, tables). Cheap; it is rate-limited."""
        ...


@dataclass(frozen=True)
class Context:
    """Everything a handler may touch.

    There is nothing to ask whether the run was canceled: a cancel, a timeout or a lost lease ends the handler's process by
    force, at once and anywhere. Until its commit passes the fence nothing of it may be visible.

    Attributes:
        inputs: pinned versions by ``layer.name``; a handler reads these and no others.
        params: the run's typed parameters.
        root_run: of a retry the run whose try this phase goes on with, None where it begins anew. What it does to the lake
            is known by that run: what the run before it did, and did not live to write down, is found and not done again.
        scratch: a directory of this attempt's own, deleted when the phase ends.
        sql_limits: what SQL of a person may use.
        sql_servers: engine → reference of its server's address, with placeholders for the scope.
        partition: what the pipeline says of its partitions.
        rights: of a query phase.
        answers: what was answered before; None where nothing may stand for the work.
    """

    run_id: RunId
    lease_token: LeaseToken
    scope: Scope
    pipeline: str
    git_sha: str
    attempt: int
    params: Mapping[str, object]
    inputs: Mapping[str, TableVersion]
    lake: Lake
    artifacts: ArtifactWriter
    fence: Fence
    secrets: Secrets
    progress: Progress
    scratch: Path
    root_run: RunId | None = None
    sql_limits: QueryLimits = DEFAULT_LIMITS
    sql_servers: Mapping[str, str] = field(default_factory=lambda: DEFAULT_SERVERS)
    partition: Partition | None = None
    rights: QueryRights = ALL_SHOWN
    answers: Answers | None = None

    @property
    def effect_of(self) -> RunId:
        """The run by which what this one does to the lake is known."""
        return self.root_run or self.run_id


Handler = Callable[[Context, "Phase"], PhaseResult]
