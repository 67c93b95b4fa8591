"""A run's life under one owner, read from the top: start, pin, phases in dependency order, complete – or the ways out.

One thread lives it. Hands, the lease renewer and a drain speak to it through its inbox only, so there is no shared state
to guard. Everything that it writes carries the lease token; where the token is no longer good, it stops and says nothing.
"""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import uuid4

import structlog
import tenacity

from compute import inputs
from compute.fingerprints import input_fingerprint
from compute.hand import Answer, Hands
from compute.last_words import hear_last_words
from compute.lease import Lease
from compute.outcome import Outcome, known_before, output_manifest
from compute.phase_work import PhaseWork, Places
from compute.tracing import run_span
from compute.trying import CapReached, Signal, Trying, progress_event
from ops import traces
from ops.errors import (
    CapExceeded,
    ControlRoomError,
    DatabaseUnavailable,
    LeaseLost,
    PhaseFailed,
    PhaseTimeout,
    RunCanceled,
    RunTimeout,
)
from ops.model import Artifact, ClaimedRun, Fingerprint, PhaseResult, PhaseStatus, TableVersion
from ops.rpc import Rpc
from ops.warehouse import Warehouse
from pipelines.handler import ALL_SHOWN, QueryRights
from pipelines.lake import owner_of
from pipelines.plan import ready
from pipelines.refresh import beside, compared, of_run
from pipelines.spec import Phase, QueryPhase

log = structlog.get_logger()
T = TypeVar("T")
MAX_BACKOFF_SECONDS = 300.0


@dataclass(frozen=True)
class Executor:
    """Who lives the runs: the name for the logs, where things are, what carries phases out."""

    name: str
    places: Places
    hands: Hands
    lease_seconds: float


class RunLife:
    """One owned run. ``live`` returns when the run is no longer this owner's."""

    def __init__(self, run: ClaimedRun, executor: Executor, rpc: Rpc, claimed_at: float) -> None:
        self._run, self._executor, self._rpc = run, executor, rpc
        self._pipeline = of_run(run.spec, [state.kind for state in run.phases])
        self._needed = {phase.name: phase.depends_on for phase in self._pipeline.phases}
        self._inbox: queue.SimpleQueue[Answer | Signal | CapReached] = queue.SimpleQueue()
        self._trying: dict[str, Trying] = {}
        self._later: dict[str, tuple[float, int]] = {}
        self._done: dict[str, Outcome] = {}
        self._available: dict[str, TableVersion] = {}
        self._draining, self._trace = False, traces.OFF
        self._claimed_at, self._deadline = claimed_at, float("inf")
        self.lease = Lease(
            run.run_id,
            run.lease_token,
            claimed_at + executor.lease_seconds,
            lost=lambda: self.tell(Signal.LOST),
            canceled=lambda: self.tell(Signal.CANCELED),
            capped=lambda said: self.tell(CapReached(said)),
        )

    def tell(self, message: Answer | Signal | CapReached) -> None:
        self._inbox.put(message)

    def live(self) -> None:
        """Start, pin, phases, complete. Every way out but a lost lease is written down in Postgres."""
        run = self._run
        bound = {"run": str(run.run_id), "executor": self._executor.name, "lease_token": int(run.lease_token)}
        with (
            structlog.contextvars.bound_contextvars(**bound),
            run_span(run, self._rpc, self._executor.name, self._claimed_at) as self._trace,
        ):
            try:
                self._surely(lambda: self._rpc.start_run(run.run_id, run.lease_token))
                self._limit()
                self._pin()
                self._phases()
            except LeaseLost:
                log.warning("lease lost, stopping", attempt=run.attempt)
            except RunCanceled as canceled:
                self._end(partial(self._rpc.release_canceled_run, run.run_id, run.lease_token, canceled.message))
            except ControlRoomError as failure:
                self._end(partial(self._fail, failure))
            except Exception as error:
                log.exception("the executor failed")
                said = f"{type(error).__name__}: {error}"
                self._end(partial(self._fail, PhaseFailed(said, {"type": type(error).__name__})))
            finally:
                for trying in self._trying.values():
                    trying.task.stop()

    def _limit(self) -> None:
        """Counts the run's timeout from its first start, whoever started it."""
        run = self._run
        if run.timeout_seconds is not None:
            begun = time.monotonic() if run.elapsed_seconds is None else self._claimed_at - run.elapsed_seconds
            self._deadline = begun + run.timeout_seconds
            self._in_time()

    def _in_time(self) -> None:
        if time.monotonic() < self._deadline:
            return
        limit = self._run.timeout_seconds
        error = RunTimeout(
            f"run {self._run.run_id} took longer than its timeout of {limit:g} s, counted from its first start; raise "
            "timeout in the spec, or retry the run: what succeeded stays done, and the time is counted anew",
            {"timeout_seconds": limit},
        )
        self._stop_all(error, PhaseStatus.FAILED)
        raise error

    # Inputs

    def _pin(self) -> None:
        run = self._run
        manifest = run.input_manifest
        # Asked in every life, also of what is pinned: who creates a run may pin what he likes.
        shared = {table: self._shared(table) for table in inputs.anothers(self._pipeline)}
        if not manifest and any(phase.reads or phase.writes for phase in self._pipeline.phases):
            own = [*(set(inputs.from_outside(self._pipeline)) - set(shared)), *compared(self._pipeline)]
            released = self._surely(lambda: self._rpc.released_versions(run.run_id, run.lease_token, own))
            if names := inputs.named(self._pipeline):
                named = Warehouse(self._rpc.source).named_versions
                released |= self._surely(lambda: named(run.run_id, run.lease_token, names))
            fresh = inputs.manifest(self._pipeline, self._executor.places.lake(run.scope), {**released, **shared})
            manifest = self._surely(lambda: self._rpc.pin_inputs(run.run_id, run.lease_token, fresh))
        self._available.update(inputs.pinned(manifest))
        self._pipeline = beside(self._pipeline, manifest.get("former"))

    def _shared(self, table: str) -> int:
        anothers = owner_of(table)
        assert anothers is not None
        return self._surely(lambda: self._rpc.shared_dataset(self._run.run_id, self._run.lease_token, *anothers))

    # Phases

    def _phases(self) -> None:
        before = known_before(self._run)
        while True:
            begun = {*self._done, *self._trying, *self._later}
            able = [] if self._draining else ready(self._needed, self._done, begun)
            for name in able:
                self._begin(self._pipeline.phase(name), before.get(name), 0)
            if self._trying or self._later:
                self._wait()
            elif not able:
                break
        if self._draining and len(self._done) < len(self._needed):
            self._surely(lambda: self._rpc.release_run(self._run.run_id, self._run.lease_token))
            return
        self._complete()

    def _begin(self, phase: Phase, before: Outcome | None, tried: int) -> None:
        run = self._run
        read = inputs.inputs_of(phase, self._available)
        fingerprint = input_fingerprint(run, phase, read)
        if before is not None and tried == 0 and self._same_inputs(phase.name, fingerprint):
            self._surely(
                lambda: self._rpc.finish_phase(run.run_id, run.lease_token, phase.name, PhaseStatus.SKIPPED, {})
            )
            self._finished(phase.name, before)
            return
        event = uuid4()
        attempt = self._surely(
            lambda: self._rpc.start_phase(run.run_id, run.lease_token, phase.name, fingerprint, event)
        )
        work = PhaseWork(
            run.run_id, run.lease_token, run.scope, run.pipeline, run.git_sha, run.effect_of(phase.name), attempt, run.params,
            phase.model_dump(mode="json", by_alias=True), read, self._executor.places, self._executor.name,
            self._trace.traceparent, self._pipeline.partition, self._rights(phase),
        )  # fmt: skip
        task = self._executor.hands.begin(work, self.tell)
        self._trying[phase.name] = Trying(phase, task, read, fingerprint, tried, attempt)

    def _rights(self, phase: Phase) -> QueryRights:
        if not isinstance(phase, QueryPhase):
            return ALL_SHOWN
        ask = Warehouse(self._rpc.source).personal_columns
        said = self._surely(lambda: ask(self._run.run_id, self._run.lease_token, phase.reads))
        return QueryRights(said.columns, said.shown, said.question)

    def _same_inputs(self, name: str, fingerprint: Fingerprint) -> bool:
        state = next(state for state in self._run.phases if state.name == name)
        return state.kept or state.input_fingerprint == fingerprint

    def _wait(self) -> None:
        """Takes one message, or does what is due."""
        now = time.monotonic()
        due = [trying.deadline for trying in self._trying.values() if trying.deadline and not trying.timed_out]
        due += [at for at, _ in self._later.values()]
        if self._deadline < float("inf"):
            due.append(self._deadline)
        try:
            message = self._inbox.get(timeout=max(0.0, min(due) - now) if due else None)
        except queue.Empty:
            self._do_what_is_due(time.monotonic())
            return
        match message:
            case Signal():
                self._heed(message)
            case CapReached():
                used_up = CapExceeded(message.said)
                self._stop_all(used_up, PhaseStatus.FAILED)
                raise used_up
            case Answer():
                self._answered(message)

    def _do_what_is_due(self, now: float) -> None:
        self._in_time()
        for trying in self._trying.values():
            if trying.deadline and trying.deadline <= now and not trying.timed_out:
                trying.timed_out = True
                trying.task.stop()
        for name, (at, tried) in list(self._later.items()):
            if at <= now:
                del self._later[name]
                self._begin(self._pipeline.phase(name), None, tried)

    def _heed(self, signal: Signal) -> None:
        if signal is Signal.LOST:
            raise LeaseLost(f"the lease of run {self._run.run_id} is gone", {"run": str(self._run.run_id)})
        if signal is Signal.CANCELED:
            self._stop_all(RunCanceled("canceled while it ran"), PhaseStatus.CANCELED)
            raise RunCanceled("canceled on request")
        self._draining = True
        # A retry that waits for its pause is the next owner's.
        self._later.clear()
        if signal is Signal.HURRY:
            for trying in self._trying.values():
                trying.task.stop()
            self._trying.clear()

    def _stop_all(self, error: ControlRoomError, status: PhaseStatus) -> None:
        for trying in self._trying.values():
            trying.task.stop()
        hear_last_words(self._inbox, {name: one for name, one in self._trying.items() if one.begun})
        for name, trying in self._trying.items():
            self._surely(partial(self._write_failure, name, trying, error, status))
            self.lease.ended(name)
        self._trying.clear()

    def _answered(self, answer: Answer) -> None:
        trying = self._trying.get(answer.phase)
        if trying is None:
            return
        if answer.begun:
            trying.begun, timeout = True, trying.phase.timeout
            trying.deadline = time.monotonic() + timeout if timeout else None
        elif answer.report is not None:
            # Made into an event here and not where it is sent: a repeat must carry the same event id.
            trying.events.append(progress_event(answer.phase, answer.report))
            self._surely(lambda: self._tell_progress(trying))
        elif answer.log is not None:
            trying.logs.append(answer.log)
        elif answer.usage is not None:
            trying.usage = answer.usage
            self.lease.uses(answer.phase, trying.attempt, answer.usage.to_json())
        elif answer.result is not None:
            del self._trying[answer.phase]
            result = answer.result
            self._surely(lambda: self._write_success(answer.phase, trying, result))
            self.lease.ended(answer.phase)
            self._finished(answer.phase, Outcome.of_result(result))
        elif answer.error is not None:
            del self._trying[answer.phase]
            self._failed(answer.phase, trying, answer.error)

    def _finished(self, name: str, outcome: Outcome) -> None:
        self._done[name] = outcome
        self._available.update(outcome.tables)

    def _failed(self, name: str, trying: Trying, error: ControlRoomError) -> None:
        if isinstance(error, LeaseLost):
            raise error
        if trying.timed_out:
            error = PhaseTimeout(
                f"phase {name} ran longer than its timeout of {trying.phase.timeout:g} s; raise it or lighten the phase",
                {"timeout_seconds": trying.phase.timeout},
            )
        self._surely(lambda: self._write_failure(name, trying, error, PhaseStatus.FAILED))
        self.lease.ended(name)
        retries = trying.phase.retries
        if not error.retryable or trying.tried >= retries.max or self._draining:
            raise error
        pause = min(retries.backoff * 2**trying.tried, MAX_BACKOFF_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
        log.warning("phase failed, will be tried again", phase=name, code=error.code, pause_seconds=round(pause, 2))
        self._later[name] = (time.monotonic() + pause, trying.tried + 1)

    # What is written down, always under the token

    def _tell_progress(self, trying: Trying) -> None:
        self._rpc.append_events(self._run.run_id, self._run.lease_token, trying.events)
        trying.events.clear()

    def _write_success(self, name: str, trying: Trying, result: PhaseResult) -> None:
        """The artifacts and the end of the phase in one transaction: of a phase that did not succeed only its log."""
        facts = {
            **trying.facts(),
            "rows_in": result.rows_in,
            "rows_out": result.rows_out,
            "byte_size": result.byte_size,
            "output_fingerprint": result.output_fingerprint,
            "metrics": result.metrics,
            "datasets": result.datasets,
            **({"column_lineage": result.column_lineage} if result.column_lineage else {}),
        }
        self._finish(name, PhaseStatus.SUCCEEDED, facts, [*result.artifacts, *trying.logs])

    def _write_failure(self, name: str, trying: Trying, error: ControlRoomError, status: PhaseStatus) -> None:
        facts = {
            **trying.facts(),
            "error_code": error.code,
            "error_message": error.message,
            "error_data": error.data,
        }
        self._finish(name, status, facts, trying.logs)

    def _finish(
        self, name: str, status: PhaseStatus, facts: Mapping[str, object], artifacts: Sequence[Artifact]
    ) -> None:
        run = self._run
        if not artifacts:
            self._rpc.finish_phase(run.run_id, run.lease_token, name, status, facts)
            return
        with self._rpc.batch() as batch:
            for artifact in artifacts:
                batch.register_artifact(run.run_id, run.lease_token, name, artifact)
            batch.finish_phase(run.run_id, run.lease_token, name, status, facts)

    def _complete(self) -> None:
        run = self._run
        manifest = output_manifest(self._done)
        failed_checks = sum(outcome.failed_checks for outcome in self._done.values())
        if failed_checks:
            self._surely(
                lambda: self._rpc.record_signal(run.run_id, run.lease_token, "failed_checks", float(failed_checks))
            )
        self._surely(lambda: self._rpc.complete_run(run.run_id, run.lease_token, manifest))
        log.info("run succeeded", pipeline=run.pipeline, attempt=run.attempt)

    def _fail(self, error: ControlRoomError) -> None:
        run = self._run
        self._trace.failed(error.code)
        status = self._rpc.fail_run(
            run.run_id, run.lease_token, error.code, error.message, error.data, retryable=error.retryable
        )
        log.warning("run failed", code=error.code, error=error.message, status=status, attempt=run.attempt)

    def _end(self, last_word: Callable[[], None]) -> None:
        try:
            self._surely(last_word)
        except ControlRoomError as error:
            log.warning("the run's end was not written down", code=error.code, error=error.message)

    def _surely(self, call: Callable[[], T]) -> T:
        """Repeats a call while Postgres does not answer and the lease may still be held: RPCs are safe to repeat.

        Raises:
            LeaseLost: the lease surely ended before Postgres answered.
        """
        try:
            for attempt in tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(DatabaseUnavailable),
                wait=tenacity.wait_random_exponential(0.05, max=1.0),
                stop=lambda _: time.monotonic() >= self.lease.until,
                reraise=True,
            ):
                with attempt:
                    return call()
        except DatabaseUnavailable as error:
            raise LeaseLost(f"Postgres did not answer until the lease ended: {error.message}") from error
        raise AssertionError("unreachable")
