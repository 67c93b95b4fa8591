"""The rules: each scenario plays runs to the executor and judges some promises of the contract by what is then recorded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from controlroom.conformance.door import Row
from controlroom.conformance.trial import Broken, Step, Trial
from ops.errors import BadInput

# A capability that no executor has, and none may claim.
NOBODYS = "conformance_nobody"
ENDLESS_SECONDS = 600.0
PROMISES = {
    "completes": "a queued run is claimed, started and completed at the first attempt",
    "reports": "each phase has its beginning, its progress and its end, in this order",
    "order": "a phase begins after those that it depends on have ended",
    "artifacts": "an artifact is registered with the hash and size of its bytes",
    "renews": "a lease is renewed at least every two thirds of its length, for as long as the work takes",
    "cancel": "a cancel request is honoured within a heartbeat",
    "lease-lost": "work whose lease is lost stops within a heartbeat, and the executor is free again",
    "fails": "a failed phase fails its run with a code, and what depends on it does not begin",
    "retries": "a retryable failure is tried again, and phases that succeeded are not repeated",
    "unknown-kind": "a phase of a kind that the executor does not know fails the run, not the executor",
    "capabilities": "a run that needs a capability that the executor lacks stays in the queue",
}


@dataclass(frozen=True)
class Verdict:
    """``broken`` says how the promise was broken; None where it was kept."""

    rule: str
    promise: str
    broken: str | None


@dataclass(frozen=True)
class Scenario:
    """``play`` yields each of ``rules`` that it has judged, with how it was broken or None."""

    rules: Sequence[str]
    play: Callable[[Trial], Iterator[tuple[str, str | None]]]


def examine(trial: Trial, only: Collection[str] = ()) -> Iterator[Verdict]:
    """Judges the executor by each rule, or by those of ``only``.

    Raises:
        BadInput: ``only`` names what is no rule.
        ControlRoomError: the control room itself could not be asked.
    """
    if unknown := sorted(set(only) - set(PROMISES)):
        raise BadInput(f"no rule is called {', '.join(unknown)}; there are {', '.join(PROMISES)}")
    for scenario in SCENARIOS:
        if only and not set(only) & set(scenario.rules):
            continue
        judged = _played(trial, scenario)
        for rule in scenario.rules:
            if not only or rule in only:
                yield Verdict(rule, PROMISES[rule], judged[rule])


def _played(trial: Trial, scenario: Scenario) -> dict[str, str | None]:
    judged: dict[str, str | None] = {}
    try:
        judged.update(scenario.play(trial))
    except Broken as broken:
        judged.update((rule, broken.message) for rule in scenario.rules if rule not in judged)
    finally:
        trial.clear()
    return judged


def _plain_run(trial: Trial) -> Iterator[tuple[str, str | None]]:
    texts = {"first": "Grüße aus der Werkstatt\n", "second": ""}
    run = trial.submit(Step("first", texts["first"]), Step("second", texts["second"], after=("first",)))
    ended = trial.wait_for_end(run)
    events = trial.events(run)
    types = [event["type"] for event in events]
    yield (
        "completes",
        _unless(
            (ended["status"], ended["attempt"]) == ("succeeded", 1) and "RUN_STARTED" in types,
            f"the run ended as {ended['status']} ({ended['error_code']}: {ended['error_message']}), events {types}",
        ),
    )
    told = {name: [event["type"] for event in events if event["phase"] == name] for name in texts}
    yield (
        "reports",
        _unless(
            all(
                each[:1] == ["PHASE_STARTED"] and each[-1:] == ["PHASE_SUCCEEDED"] and "PHASE_PROGRESS" in each[1:-1]
                for each in told.values()
            ),
            f"the phases' events are {told}",
        ),
    )
    yield (
        "order",
        _unless(
            told["first"] + told["second"] == [event["type"] for event in events if event["phase"] in texts],
            f"events of the two phases are mixed: {[(event['type'], event['phase']) for event in events]}",
        ),
    )
    yield "artifacts", _artifacts(trial, run, texts)


def _artifacts(trial: Trial, run: str, texts: dict[str, str]) -> str | None:
    found = {
        (row["phase"], row["sha256"], row["byte_size"])
        for row in trial.door.rows("run_artifacts", run_id=run)
        if row["uri"]
    }
    wanted = {(name, hashlib.sha256(text.encode()).hexdigest(), len(text.encode())) for name, text in texts.items()}
    return _unless(wanted <= found, f"expected (phase, sha256, bytes) {sorted(wanted)}, registered are {sorted(found)}")


def _long_run(trial: Trial) -> Iterator[tuple[str, str | None]]:
    run = trial.submit(Step("long", seconds=ENDLESS_SECONDS))
    lease = trial.wait_for_work(run)
    yield "renews", _renewals(trial, run, lease)
    trial.cancel(run)
    ended = trial.wait_for_end(run, _heartbeat(lease))
    expired = any(event["type"] == "LEASE_EXPIRED" for event in trial.events(run))
    yield (
        "cancel",
        _unless(
            ended["status"] == "canceled" and not expired,
            f"the run ended as {ended['status']}" + (", when its lease had ended" if expired else ""),
        ),
    )


def _renewals(trial: Trial, run: str, lease: Row) -> str | None:
    """Two leases long: the ends of the lease must move on in steps that are shorter than it by a third."""
    seconds, seen = float(lease["lease_seconds"]), [_moment(lease)]
    until = time.monotonic() + 2 * seconds
    while time.monotonic() < until:
        time.sleep(min(seconds / 20, 1.0))
        found = trial.lease(run)
        if found is None:
            return f"the run lost its lease of {seconds:g} s while it worked"
        if _moment(found) != seen[-1]:
            seen.append(_moment(found))
    steps = [later - earlier for earlier, later in pairwise(seen)]
    longest = max(steps, default=2 * seconds)
    return _unless(longest <= seconds * 2 / 3, f"a lease of {seconds:g} s was renewed only after {longest:.1f} s")


def _lost_lease(trial: Trial) -> Iterator[tuple[str, str | None]]:
    first = trial.submit(Step("long", seconds=ENDLESS_SECONDS))
    lease = trial.wait_for_work(first)
    executor = lease["executor_id"]
    [about] = trial.door.rows("executors", id=executor)
    # With every slot taken, the run can come back to the executor only when it has let go of it.
    others = [trial.submit(Step("long", seconds=ENDLESS_SECONDS)) for _ in range(int(about["slots"]) - 1)]
    for other in others:
        trial.wait_for_work(other)
    before = _claims(trial, first)
    trial.door.call("revoke_lease", run_id=first)
    claims = trial.wait(
        f"executor {about['name']} has not let go of a run whose lease it lost",
        lambda: (found := _claims(trial, first))[len(before) :] and found,
        _heartbeat(lease),
    )
    if set(claims) != {executor}:
        raise BadInput(f"executors {sorted(set(claims))} share these runs; let only the one under test claim them")
    yield "lease-lost", None


def _failure(trial: Trial) -> Iterator[tuple[str, str | None]]:
    run = trial.submit(Step("failing", fail_tries=99), Step("never", after=("failing",)), max_attempts=3)
    ended = trial.wait_for_end(run)
    phases = trial.phases(run)
    facts = {
        "run": (ended["status"], ended["error_code"], ended["attempt"]),
        **{name: (phase["status"], phase["error_code"], phase["attempt"]) for name, phase in phases.items()},
    }
    kept = (
        ended["status"] == "failed" and ended["attempt"] == 1 and ended["error_code"]
        and phases["failing"]["status"] == "failed" and phases["failing"]["error_code"] and phases["never"]["attempt"] == 0
    )  # fmt: skip
    yield "fails", _unless(kept, f"(status, error code, attempts) are {facts}")


def _retry(trial: Trial) -> Iterator[tuple[str, str | None]]:
    stumbling = Step("stumbling", fail_tries=1, retryable=True, after=("done",))
    run = trial.submit(Step("done"), stumbling, max_attempts=2)
    ended = trial.wait_for_end(run)
    begun = {
        name: sum(event["type"] == "PHASE_STARTED" and event["phase"] == name for event in trial.events(run))
        for name in ("done", "stumbling")
    }
    yield (
        "retries",
        _unless(
            (ended["status"], begun) == ("succeeded", {"done": 1, "stumbling": 2}),
            f"the run ended as {ended['status']} after attempt {ended['attempt']}; its phases were begun so often: {begun}",
        ),
    )


def _unknown_kind(trial: Trial) -> Iterator[tuple[str, str | None]]:
    run = trial.submit(Step("strange", kind="conformance_unknown"))
    ended = trial.wait_for_end(run)
    again = trial.wait_for_end(trial.submit(Step("first")))
    yield (
        "unknown-kind",
        _unless(
            (ended["status"], again["status"]) == ("failed", "succeeded") and ended["error_code"],
            f"the run ended as {ended['status']} ({ended['error_code']}), the one after it as {again['status']}",
        ),
    )


def _capability(trial: Trial) -> Iterator[tuple[str, str | None]]:
    # It would be taken first, by its priority.
    out_of_reach = trial.submit(Step("first"), needs=[NOBODYS], priority=1)
    trial.wait_for_end(trial.submit(Step("first")))
    found = trial.run(out_of_reach)
    yield "capabilities", _unless(found["status"] == "queued", f"the run is {found['status']}")


def _claims(trial: Trial, run: str) -> list[str]:
    """Who claimed the run, claim by claim."""
    return [event["data"]["executor"] for event in trial.events(run) if event["type"] == "RUN_CLAIMED"]


def _heartbeat(lease: Row) -> float:
    """How long an executor may take to hear of something: half a lease, and a moment to act."""
    return float(lease["lease_seconds"]) / 2 + 3


def _moment(lease: Row) -> float:
    return datetime.fromisoformat(str(lease["expires_at"])).timestamp()


def _unless(kept: object, broken: str) -> str | None:
    return None if kept else broken


SCENARIOS = (
    Scenario(("completes", "reports", "order", "artifacts"), _plain_run),
    Scenario(("renews", "cancel"), _long_run),
    Scenario(("lease-lost",), _lost_lease),
    Scenario(("fails",), _failure),
    Scenario(("retries",), _retry),
    Scenario(("unknown-kind",), _unknown_kind),
    Scenario(("capabilities",), _capability),
)
