"""Runs for the executor under test, and what can be seen of them."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from controlroom.conformance.door import Door, Row
from ops.errors import ControlRoomError, NotFound

T = TypeVar("T")
ENDED = ("succeeded", "failed", "canceled")
LOOK_SECONDS = 0.1


class Broken(ControlRoomError):
    """The executor under test did not do what the contract asks."""

    code = "CONTRACT_BROKEN"


@dataclass(frozen=True)
class Step:
    """A phase of kind ``conformance``: what it is told to do. ``kind`` may be one that no executor has."""

    name: str
    text: str = ""
    seconds: float = 0.0
    fail_tries: int = 0
    retryable: bool = False
    after: tuple[str, ...] = ()
    kind: str = "conformance"

    def spec(self) -> dict[str, object]:
        told = {
            "seconds": self.seconds,
            "fail_tries": self.fail_tries,
            "retryable": self.retryable,
            "text": self.text,
        }
        return {"name": self.name, "kind": self.kind, "depends_on": list(self.after), "with": told}


@dataclass(frozen=True)
class Trial:
    """What a rule works with.

    Attributes:
        capabilities: that each run needs, so that no other executor takes it and a dedicated one does.
        patience_seconds: how long a queued run may wait for the executor, and a quick one may take.
    """

    door: Door
    project_id: str
    env: str = "dev"
    capabilities: Sequence[str] = ()
    patience_seconds: float = 30.0
    submitted: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, door: Door, org: str, project: str, **more: Any) -> Trial:
        """A trial in a project that the token's holder may edit.

        Raises:
            NotFound: it sees no such project.
        """
        found = door.rows("projects", org=org, project=project)
        if not found:
            raise NotFound(f"no project {org}/{project} is visible with this token; make its subject an editor of one")
        return cls(door, str(found[0]["id"]), **more)

    def submit(self, *steps: Step, needs: Sequence[str] = (), max_attempts: int = 1, priority: int = 100) -> str:
        """Queues a run of these phases and returns its id."""
        phases = [step.spec() for step in steps]
        spec = {
            "version": 1,
            "pipeline": "conformance",
            "owner": "@conformance",
            "capabilities": [*self.capabilities, *needs],
            "phases": phases,
        }
        sha256 = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
        run = self.door.call(
            "create_run", project_id=self.project_id, env=self.env, pipeline="conformance", spec=spec, spec_sha256=sha256,
            git_sha="conformance", phases=phases, idempotency_key=f"conformance-{uuid.uuid4()}", priority=priority,
            trigger="api", max_attempts=max_attempts,
        )  # fmt: skip
        self.submitted.append(str(run))
        return str(run)

    def run(self, run: str) -> Row:
        [found] = self.door.rows("runs", id=run)
        return found

    def events(self, run: str) -> list[Row]:
        return self.door.rows("run_events", "seq", run_id=run)

    def phases(self, run: str) -> Mapping[str, Row]:
        return {str(phase["name"]): phase for phase in self.door.rows("run_phases", "ordinal", run_id=run)}

    def lease(self, run: str) -> Row | None:
        """The run's lease; None where nobody owns it."""
        found = self.door.rows("run_leases", run_id=run)
        return found[0] if found else None

    def wait(self, what: str, look: Callable[[], T], seconds: float) -> T:
        """The first answer that is true.

        Raises:
            Broken: there was none within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline:
                raise Broken(f"after {seconds:.1f} s {what}")
            time.sleep(LOOK_SECONDS)
        return found

    def wait_for_end(self, run: str, seconds: float | None = None) -> Row:
        """The run, once it has ended."""
        seconds = seconds or self.patience_seconds
        self.wait(f"run {run} has not ended", lambda: self.run(run)["status"] in ENDED, seconds)
        return self.run(run)

    def wait_for_work(self, run: str) -> Row:
        """The run's lease, once one of its phases is being carried out."""

        def working() -> Row | None:
            begun = any(phase["status"] == "running" for phase in self.phases(run).values())
            return self.lease(run) if begun else None

        lease = self.wait(f"no phase of run {run} has begun", working, self.patience_seconds)
        assert lease is not None
        return lease

    def cancel(self, run: str) -> None:
        self.door.call("cancel_run", run_id=run, reason="conformance")

    def clear(self) -> None:
        """Cancels what a rule left behind: the executor is to be free for the next one."""
        for run in self.submitted:
            if self.run(run)["status"] not in ENDED:
                self.cancel(run)
                # An executor that does not listen must not keep what the next rule needs.
                self.door.call("revoke_lease", run_id=run)
        self.submitted.clear()
