"""The first thing that a run's page says: how it is, and if it is not well, where, why, what was seen first and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dashboard.views.words import count, span
from ops.limits import Waiting
from ops.model import PhaseStatus, RunStatus
from ops.views import Json, PhaseRow, RunDetail

DONE = (PhaseStatus.SUCCEEDED, PhaseStatus.SKIPPED)
# Error code → what to do. What is not here is answered by its own message.
ADVICE: Mapping[str, str] = {
    "CHECK_FAILED": "Look at the check below, and in the table that it is about at the rows that break it: a check that fails "
    "a run puts none aside. Retry when the source is right or the check is.",
    "SCHEMA_DRIFT": "Compare the source with its contract; bring a new version of the spec or contract, then start it anew.",
    "SOURCE_UNREACHABLE": "See whether the source answers (controlroom doctor), then retry; what succeeded stays done.",
    "SECRET_MISSING": "Store the secret that is named and let the project use it, then retry.",
    "STORAGE_FAILED": "See to the space and rights of the store (controlroom doctor), then retry.",
    "COMMIT_CONFLICT": "Another run wrote the table; retry.",
    "CONFLICT": "A newer run has written the table: what this one would write is outdated. Start a new run instead.",
    "CAP_EXCEEDED": "Raise the cap or wait until its period is over, then retry; Caps says how full it is.",
    "PHASE_TIMEOUT": "Compare its time with what is usual below; raise the timeout in the spec, or see what slowed it down.",
    "RUN_TIMEOUT": "Compare the phases with what is usual below; raise the timeout in the spec, or see what slowed it down.",
    "PHASE_CRASHED": "Look at the phase's log among the artifacts: the process died, often for want of memory. Then retry.",
    "PHASE_FAILED": "Look at the phase's log among the artifacts for the line that raised it.",
    "QUERY_LIMIT_EXCEEDED": "Make the query smaller, or raise the limit that is named.",
    "LEASE_LOST": "Its executors died or hung; look at them under Fleet, then retry.",
    "BAD_INPUT": "Correct what is named; a retry would fail the same way.",
    "SPEC_INVALID": "Correct the spec; a retry would fail the same way.",
    "RUN_CANCELED": "Retry carries on where it was stopped.",
}

# What a queued run waits for instead of an executor.
HOLDING = ("backoff", "cap", "pool")


def verdict(run: RunDetail, phases: Sequence[PhaseRow], now: datetime, waiting: Waiting | None = None) -> str:
    """One sentence: how it is, and if it is not well, why; of a queued run the first of what it waits for."""
    done = sum(phase.status in DONE for phase in phases)
    of = f"{done} of {count(len(phases), 'phase')}"
    match run.status:
        case RunStatus.QUEUED if run.available_at > now:
            wait = span(run.available_at - now)
            return f"Waits {wait} before attempt {run.attempt + 1} of {run.max_attempts}{_because(run)}"
        case RunStatus.QUEUED:
            return f"{_waits(waiting, span(now - max(run.available_at, run.created_at)))}; {of} done"
        case RunStatus.CLAIMED | RunStatus.RUNNING:
            busy = [phase.name for phase in phases if phase.status is PhaseStatus.RUNNING]
            doing = f"Running {_listed(busy)}" if busy else "Running"
            return f"{'Canceling' if run.cancel_requested else doing}; {of} done"
        case RunStatus.SUCCEEDED:
            return f"Succeeded in {took(run)}; {of} done"
        case RunStatus.CANCELED:
            after = took(run) or f"waiting {span((run.finished_at or now) - run.created_at)}"
            return f"Canceled after {after}; {of} done{_because(run)}"
        case RunStatus.FAILED:
            failed = [phase.name for phase in phases if phase.status is PhaseStatus.FAILED]
            where = f" in {_listed(failed)}" if failed else ""
            return f"Failed{where} after {count(run.attempt, 'attempt')}{_because(run)}"


def first_seen(run: RunDetail, phases: Sequence[PhaseRow]) -> str:
    """The first check that does not hold and in how many rows; empty where no check is to blame."""
    data = [run.error_data, *(phase.error_data for phase in phases)]
    for check in (each for one in data for each in checks_of(one)):
        if check.get("ok") is False:
            bad = failed_rows(check)
            rows = f", in {count(bad, 'row')}" if isinstance(bad, int) and bad else ""
            return f"{rule_name(check)}: expected {check.get('expected')}, observed {check.get('observed')}{rows}"
    return ""


def advice(run: RunDetail) -> str:
    """What to do about it; empty where nothing is to be done."""
    if run.status is RunStatus.SUCCEEDED or run.error_code is None:
        return ""
    return ADVICE.get(run.error_code, "")


def checks_of(data: Json | None) -> list[Mapping[str, object]]:
    """The results of checks in what a phase said: in its metrics, or in the data of its error."""
    found = (data or {}).get("checks")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def rule_name(check: Mapping[str, object]) -> str:
    """Runs of before rules had names said "check"."""
    return str(check.get("rule") or check.get("check", ""))


def failed_rows(check: Mapping[str, object]) -> object:
    """How many rows break it, where rows can."""
    return check.get("failed", check.get("bad_rows"))


def took(run: RunDetail) -> str:
    """How long it worked, until it ended; empty where it never began, or has not ended."""
    return span(run.finished_at - run.started_at) if run.started_at and run.finished_at else ""


def _waits(waiting: Waiting | None, long: str) -> str:
    """What :func:`ops.why_waiting` finds first. A cap or a full pool holds it up however many executors have nothing to do."""
    if waiting is None or waiting.data.get("ahead") == 0:
        return f"Waits for an executor for {long}"
    # What follows, who holds the slots or what to start, stands below with its link.
    cause = waiting.said.partition(";")[0]
    return f"Waits for {long}: {cause}" if waiting.reason in HOLDING else f"Waits for an executor for {long}: {cause}"


def _because(run: RunDetail) -> str:
    return f": {run.error_message} ({run.error_code})" if run.error_code else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
