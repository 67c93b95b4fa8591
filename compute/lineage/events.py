"""A run's story as OpenLineage events: a pure fold over its own events, the same for whoever computes it again.

The run is a run of the pipeline's job; each try at a phase is a run of the phase's job, with the first as its parent. Each
begins with START and ends with one of COMPLETE, FAIL and ABORT: an owner that is lost aborts the tries it had under way, and
what was canceled before it started begins and ends at once. The run says RUNNING when a new owner goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import attr
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    documentation_job,
    error_message_run,
    job_type_job,
    ownership_job,
    parent_run,
    processing_engine_run,
    source_code_job,
    sql_job,
)

from compute.lineage import datasets
from compute.lineage.naming import Place, namespace_of, phase_run_id
from ops.errors import RunCanceled
from ops.lineage import Json, Story, StoryEvent
from ops.model import EventType, Scope

PRODUCER = "urn:lakehouse-control-room"
INTEGRATION = "CONTROLROOM"
_ENDS = {
    EventType.RUN_SUCCEEDED: RunState.COMPLETE,
    EventType.RUN_FAILED: RunState.FAIL,
    EventType.RUN_CANCELED: RunState.ABORT,
}
_OWNER_GONE = {EventType.LEASE_EXPIRED, EventType.RUN_REQUEUED}


@attr.define
class ControlRoomRunFacet(RunFacet):
    """What we know of a run beyond the specification's facets."""

    attempt: int
    trigger: str
    pipelineVersion: int  # noqa: N815 - the specification's manner
    specSha256: str  # noqa: N815
    gitSha: str  # noqa: N815


def told(story: Story, lake: str) -> Iterator[tuple[int, list[RunEvent]]]:
    """For each event of the run its number and what is told of it, in their order; most often one event, or none.

    Args:
        lake: where the tables lie, as in the settings.
    """
    teller = _Fold(story, Place(lake, story.run.scope))
    for event in story.events:
        yield event.seq, list(teller.of(event))


class _Fold:
    def __init__(self, story: Story, place: Place) -> None:
        self._story, self._place = story, place
        self._started = False
        # Phase → the number of the try that is under way.
        self._trying: dict[str, int] = {}
        phases = story.run.spec.get("phases")
        named = [each for each in phases if isinstance(each, Mapping)] if isinstance(phases, list) else []
        self._specs: dict[str, Json] = {str(each.get("name")): each for each in named}

    def of(self, event: StoryEvent) -> Iterator[RunEvent]:
        match event.type:
            case EventType.RUN_STARTED:
                yield self._run(event, RunState.RUNNING if self._started else RunState.START)
                self._started = True
            case EventType.PHASE_STARTED:
                yield from self._abandoned(event, event.phase)
                yield self._begin(event)
            case EventType.PHASE_SUCCEEDED | EventType.PHASE_FAILED if event.phase in self._trying:
                yield self._end(event)
            case _ if event.type in _OWNER_GONE:
                yield from self._abandoned(event)
            case _ if event.type in _ENDS:
                yield from self._abandoned(event)
                if not self._started:
                    yield self._run(event, RunState.START)
                yield self._run(event, _ENDS[event.type])

    def _abandoned(self, event: StoryEvent, phase: str | None = None) -> Iterator[RunEvent]:
        """Ends the tries that nobody goes on with: all, or those at one phase."""
        for name in [each for each in self._trying if phase in (None, each)]:
            yield self._phase(event.ts, name, self._trying.pop(name), RunState.ABORT)

    def _begin(self, event: StoryEvent) -> RunEvent:
        assert event.phase is not None
        attempt = self._trying[event.phase] = int(str(event.data.get("attempt", 1)))
        begun = self._phase(event.ts, event.phase, attempt, RunState.START)
        spec = self._specs.get(event.phase, {})
        begun.inputs = datasets.inputs(self._story, self._place, spec, ())
        begun.outputs = datasets.intended(self._place, spec)
        return begun

    def _end(self, event: StoryEvent) -> RunEvent:
        assert event.phase is not None
        attempt = self._trying.pop(event.phase)
        if event.type is EventType.PHASE_SUCCEEDED:
            state = RunState.COMPLETE
        else:
            state = RunState.ABORT if event.data.get("error_code") == RunCanceled.code else RunState.FAIL
        ending = self._phase(event.ts, event.phase, attempt, state)
        if state is RunState.FAIL:
            _failed(ending, event.message)
        phase, spec = self._story.phases.get(event.phase), self._specs.get(event.phase, {})
        if phase is None or phase.attempt != attempt:
            # What an earlier try saw was overwritten by the later one.
            return ending
        done = state is RunState.COMPLETE
        written = [one for one in self._story.written if one.phase == event.phase] if done else []
        ending.inputs = datasets.inputs(self._story, self._place, spec, written)
        if done:
            ending.outputs = datasets.outputs(self._story, self._place, spec, written)
        if verdict := datasets.judged(self._place, spec, phase):
            for each in ending.inputs or ():
                if each.name == verdict[0]:
                    each.inputFacets = {"dataQualityAssertions": verdict[1]}
        return ending

    def _run(self, event: StoryEvent, state: RunState) -> RunEvent:
        run = self._story.run
        facets = self._run_facets()
        if run.parent_run is not None and run.parent_pipeline is not None:
            scope = Scope(run.scope.org, run.scope.project, run.parent_env or run.scope.env)
            facets["parent"] = _parent(str(run.parent_run), scope, run.parent_pipeline)
        made = _event(event.ts, state, Run(str(run.run_id), facets), self._job())
        if state is RunState.FAIL:
            _failed(made, run.error_message or event.message)
        return made

    def _phase(self, ts: datetime, name: str, attempt: int, state: RunState) -> RunEvent:
        run = self._story.run
        facets = self._run_facets(attempt)
        facets["parent"] = _parent(str(run.run_id), run.scope, run.pipeline)
        return _event(ts, state, Run(str(phase_run_id(run.run_id, name, attempt)), facets), self._phase_job(name))

    def _run_facets(self, attempt: int | None = None) -> dict[str, RunFacet]:
        run = self._story.run
        return {
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
                version=run.git_sha, name="Lakehouse Control Room", producer=PRODUCER
            ),
            "controlroom_run": ControlRoomRunFacet(
                attempt=run.attempt if attempt is None else attempt,
                trigger=run.trigger,
                pipelineVersion=run.pipeline_version,
                specSha256=run.spec_sha256,
                gitSha=run.git_sha,
                producer=PRODUCER,
            ),
        }

    def _job(self) -> Job:
        run = self._story.run
        return Job(namespace_of(run.scope), run.pipeline, _job_facets("PIPELINE", run.spec, run.spec))

    def _phase_job(self, name: str) -> Job:
        run = self._story.run
        spec = self._specs.get(name, {})
        facets = _job_facets(str(spec.get("kind", "PHASE")).upper(), run.spec, spec)
        return Job(namespace_of(run.scope), f"{run.pipeline}.{name}", facets)


def _event(ts: datetime, state: RunState, run: Run, job: Job) -> RunEvent:
    return RunEvent(eventTime=ts.isoformat(), eventType=state, run=run, job=job, producer=PRODUCER)


def _failed(event: RunEvent, message: str) -> None:
    assert event.run.facets is not None
    event.run.facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
        message=message, programmingLanguage="PYTHON"
    )


def _parent(run_id: str, scope: Scope, pipeline: str) -> parent_run.ParentRunFacet:
    namespace = namespace_of(scope)
    return parent_run.ParentRunFacet(
        run=parent_run.Run(run_id),
        job=parent_run.Job(namespace, pipeline),
        root=parent_run.Root(parent_run.RootRun(run_id), parent_run.RootJob(namespace, pipeline)),
    )


def _job_facets(kind: str, pipeline: Json, spec: Json) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(processingType="BATCH", integration=INTEGRATION, jobType=kind)
    }
    if owner := pipeline.get("owner"):
        facets["ownership"] = ownership_job.OwnershipJobFacet([ownership_job.Owner(name=str(owner), type="OWNER")])
    if description := spec.get("description"):
        facets["documentation"] = documentation_job.DocumentationJobFacet(description=str(description))
    if sql := spec.get("sql"):
        facets["sql"] = sql_job.SQLJobFacet(query=str(sql))
    if function := spec.get("python"):
        facets["sourceCode"] = source_code_job.SourceCodeJobFacet(language="PYTHON", sourceCode=str(function))
    return facets
