"""From a spec to a queued run: which file, which code, which parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlroom.session import Session
from ops import traces
from ops.model import RunId, Trigger
from ops.watching import Watching
from pipelines.catalogue import git_sha, new_phases, spec_path
from pipelines.params import bound
from pipelines.spec import spec_sha256
from pipelines.spec_source import load


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        pipeline: the name of a spec, or the path of one.
        params: texts by name; the spec says their types.
        key: idempotency key: the same key and content give the same run.
    """

    pipeline: str
    params: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None
    key: str | None = None
    priority: int = 100


def submit(session: Session, request: Request) -> RunId:
    """Queues a run.

    Raises:
        NotFound: no such spec.
        SpecInvalid, BadInput: the spec or the parameters are refused, with every fault.
        Conflict: the key exists with other content.
    """
    path = spec_path(request.pipeline)
    pipeline = load(path)
    facts = {"controlroom.pipeline": pipeline.pipeline}
    with traces.span("create_run", None, facts) as trace:
        if trace.traceparent is not None:
            Watching(session.connection).present_traceparent(trace.traceparent)
        run_id = session.rpc.create_run(
            session.project_id(),
            request.env or session.settings.env,
            pipeline.pipeline,
            pipeline.to_json(),
            spec_sha256(pipeline),
            git_sha(path.parent),
            new_phases(pipeline),
            params=bound(pipeline, request.params),
            idempotency_key=request.key,
            priority=request.priority,
            trigger=Trigger.MANUAL,
            max_attempts=pipeline.max_attempts,
            timeout_seconds=pipeline.timeout,
        )
        trace.note({"controlroom.run.id": str(run_id)})
    return run_id
