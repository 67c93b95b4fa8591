"""An executor over HTTP that keeps the contract, or breaks it in one way: ``python -m tests.contract.faulty URL TOKEN FAULT``.

Written against the contract's page alone: it imports nothing of ours, so that the kit is not measured with our own ruler.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

FAULTS = {
    "reports": "says nothing between the beginning and the end of a phase",
    "completes": "leaves runs running when their phases are done",
    "order": "begins every phase at once",
    "artifacts": "hashes something else than what it stored",
    "renews": "never renews",
    "cancel": "does not heed a cancel request",
    "lease-lost": "goes on working when its lease is lost",
    "fails": "takes a failure for a success",
    "retries": "repeats what an earlier attempt has done",
    "unknown-kind": "falls over what it does not know",
    "capabilities": "says that it can do anything",
}
LEASE_SECONDS = float(os.environ.get("FAULTY_LEASE_SECONDS", "3"))
HTTP = httpx.Client(timeout=10)


class Stopped(Exception):
    """The work must end; ``why`` is ``lost`` or ``canceled``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Failed(Exception):
    def __init__(self, code: str, retryable: bool) -> None:
        super().__init__(code)
        self.code, self.retryable = code, retryable


class Executor:
    def __init__(self, url: str, token: str, fault: str) -> None:
        self.url, self.fault, self.id = url, fault, str(uuid.uuid4())
        self.headers = {"Authorization": f"Bearer {token}", "Content-Profile": "api"}
        self.capabilities = ["conformance_nobody"] if fault == "capabilities" else []

    def call(self, rpc: str, /, **arguments: object) -> Any:
        body = {f"p_{name}": value for name, value in arguments.items()}
        answer = HTTP.post(f"{self.url}/rpc/{rpc}", json=body, headers=self.headers)
        if answer.is_error and answer.json().get("code") == "LEASE_LOST":
            raise Stopped("lost")
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def work(self) -> None:
        self.call(
            "register_executor", executor_id=self.id, name=f"faulty {self.fault}", capabilities=self.capabilities,
            labels={}, slots=1, host="", version="1",
        )  # fmt: skip
        claim = {"executor_id": self.id, "capabilities": self.capabilities, "lease_seconds": LEASE_SECONDS}
        while True:
            for run in self.call("claim_run", **claim):
                Run(self, run).live()
            time.sleep(0.2)


class Run:
    def __init__(self, executor: Executor, run: Mapping[str, Any]) -> None:
        self.executor, self.run = executor, run
        self.owned = {"run_id": run["run_id"], "lease_token": run["lease_token"]}
        self.stop: str | None = None
        self.done = threading.Event()

    def call(self, rpc: str, /, **arguments: object) -> Any:
        return self.executor.call(rpc, **self.owned, **arguments)

    def live(self) -> None:
        renewing = threading.Thread(target=self.renew)
        renewing.start()
        phase = ""
        try:
            self.call("start_run")
            todo = self.run["phases"]
            if self.executor.fault == "order":
                for state in todo:
                    self.call("start_phase", phase=state["name"], input_fingerprint=None)
            for state in todo:
                phase = state["name"]
                self.carry_out(state)
            if self.executor.fault != "completes":
                self.call("complete_run", output_manifest={})
        except Failed as failed:
            error = {"error_code": failed.code, "error_message": failed.code}
            self.call("finish_phase", phase=phase, status="failed", result=error)
            self.call("fail_run", **error, retryable=failed.retryable)
        except Stopped as stopped:
            if stopped.why == "canceled":
                self.call("release_canceled_run", reason="asked")
        finally:
            self.done.set()
            renewing.join()

    def carry_out(self, state: Mapping[str, Any]) -> None:
        fault, phase = self.executor.fault, state["name"]
        if state["status"] in ("succeeded", "skipped") and fault != "retries":
            self.call("finish_phase", phase=phase, status="skipped", result={})
            return
        tried = 1 if fault == "order" else self.call("start_phase", phase=phase, input_fingerprint=None)
        if state["kind"] != "conformance":
            if fault == "unknown-kind":
                os._exit(1)
            raise Failed("NOT_FOUND", False)
        told = next(each for each in self.run["spec"]["phases"] if each["name"] == phase)["with"]
        if fault != "reports":
            self.call("append_events", events=[{"type": "PHASE_PROGRESS", "phase": phase}])
        self.pause(told["seconds"])
        if tried <= told["fail_tries"] and fault != "fails":
            raise Failed("CONFORMANCE_FAILED", told["retryable"])
        data = told["text"].encode()
        stored = b"something else" if fault == "artifacts" else data
        self.call(
            "register_artifact", phase=phase, name="text", kind="conformance", sha256=hashlib.sha256(stored).hexdigest(),
            byte_size=len(data), content_type="text/plain", uri=f"data:,{phase}", meta={},
        )  # fmt: skip
        self.call("finish_phase", phase=phase, status="succeeded", result={})

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.02)
            if self.stop and self.executor.fault not in ("cancel" if self.stop == "canceled" else "lease-lost",):
                raise Stopped(self.stop)

    def renew(self) -> None:
        while not self.done.wait(LEASE_SECONDS / 3) and self.executor.fault != "renews":
            try:
                [lease] = self.call("heartbeat_run")
            except Stopped:
                self.stop = "lost"
                return
            if lease["cancel_requested"]:
                self.stop = "canceled"


if __name__ == "__main__":
    Executor(sys.argv[1], sys.argv[2], (sys.argv[3:] or ["none"])[0]).work()
