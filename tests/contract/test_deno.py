"""The Edge Function executor: what Deno's own tools say of it, and its runs against real PostgREST and Postgres."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.contract.deno import LEASE_SECONDS, receiving, started, tool
from tests.contract.door import Door, free_port
from tests.contract.people import EDITOR, People, call

BODY = {"total": 3, "rows": ["ä", None]}


@pytest.mark.parametrize("command", [["check", "main.ts", "index.ts"], ["lint"], ["fmt", "--check"]])
def test_denos_own_tools_find_nothing(command: list[str]) -> None:
    answer = tool(*command)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def submit(door: Door, people: People, *phases: tuple[str, dict[str, object]], **more: object) -> str:
    """Queues a run of these phases, one after another, for an executor that can do webhooks."""
    names = [f"{kind}_{number}" for number, (kind, _) in enumerate(phases)]
    listed = [
        {"name": name, "kind": kind, "depends_on": names[max(0, number - 1) : number], "with": arguments}
        for number, (name, (kind, arguments)) in enumerate(zip(names, phases, strict=True))
    ]
    spec = {"version": 1, "pipeline": "hooks", "capabilities": ["webhook"], "phases": listed}
    sha256 = hashlib.sha256(json.dumps(spec).encode()).hexdigest()
    arguments = people.run(p_pipeline="hooks", p_spec=spec, p_spec_sha256=sha256, p_phases=listed, **more)
    return str(door.person(EDITOR).rpc("create_run", arguments).execute().data)


def until(what: str, fact: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.03)
    return found


def run_of(owner: psycopg.Connection, run: str) -> tuple[Any, ...]:
    [found] = owner.execute(
        "select status, error_code, attempt, lost_leases, lease_token from ops.runs where id = %s", [run]
    ).fetchall()
    return found


def ended(owner: psycopg.Connection, run: str) -> tuple[Any, ...]:
    """Status, error code, attempt and lost leases of the run, once it has ended."""
    until("the run has ended", lambda: run_of(owner, run)[0] in ("succeeded", "failed", "canceled"))
    return run_of(owner, run)[:4]


def working(owner: psycopg.Connection, run: str) -> None:
    query = "select 1 from ops.run_events where run_id = %s and type = 'PHASE_PROGRESS'"
    until("the phase works", lambda: owner.execute(query, [run]).fetchall())


def test_it_publishes_and_registers_what_it_published(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with receiving() as receiver, started(door, tmp_path / "log", hosts=[receiver.host]):
        run = submit(door, people, ("webhook", {"url": receiver.url, "body": BODY}))
        assert ended(owner, run) == ("succeeded", None, 1, 0)
    [(path, key, body)] = receiver.received
    assert (path, key, json.loads(body)) == ("/hook", f"{run}/webhook_0", BODY)
    [(name, digest, size, uri)] = owner.execute("select name, sha256, byte_size, uri from ops.run_artifacts").fetchall()
    assert (name, digest, size) == ("webhook_0.json", hashlib.sha256(body).hexdigest(), len(body))
    assert httpx.URL(uri).scheme == "data"
    told = owner.execute("select type from ops.run_events where run_id = %s order by seq", [run]).fetchall()
    assert [kind for (kind,) in told] == [
        "RUN_CREATED", "RUN_CLAIMED", "RUN_STARTED", "PHASE_STARTED", "PHASE_PROGRESS", "PHASE_SUCCEEDED", "RUN_SUCCEEDED",
    ]  # fmt: skip
    assert owner.execute("select ok from ops.verify_event_chain(%s)", [run]).fetchall() == [(True,)]


def test_it_renews_its_lease_for_as_long_as_it_works(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with started(door, tmp_path / "log"):
        run = submit(door, people, ("conformance", {"seconds": 2 * LEASE_SECONDS}))
        assert ended(owner, run) == ("succeeded", None, 1, 0)


def test_a_lost_lease_stops_it_at_once_and_nothing_more_is_published(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with receiving() as receiver, started(door, tmp_path / "log", hosts=[receiver.host]):
        run = submit(door, people, ("conformance", {"seconds": 6}), ("webhook", {"url": receiver.url, "body": 1}))
        working(owner, run)
        token = run_of(owner, run)[-1]
        assert call(door.person(EDITOR), "revoke_lease", run_id=run) == "queued"
        lost = time.monotonic()
        # It has one slot: the run can come back to it only when it has let go.
        until("it claims again", lambda: run_of(owner, run)[-1] > token)
        assert time.monotonic() - lost < LEASE_SECONDS / 3 + 2
        assert ended(owner, run) == ("succeeded", None, 1, 1)
    assert "lease lost, stopping" in (tmp_path / "log").read_text()
    assert len(receiver.received) == 1


def test_a_cancel_is_honoured_within_a_heartbeat(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with started(door, tmp_path / "log"):
        run = submit(door, people, ("conformance", {"seconds": 60}))
        working(owner, run)
        asked = time.monotonic()
        assert call(door.person(EDITOR), "cancel_run", run_id=run, reason="enough") == "cancel_requested"
        assert ended(owner, run)[:2] == ("canceled", "RUN_CANCELED")
        assert time.monotonic() - asked < LEASE_SECONDS / 3 + 1


def test_sigterm_gives_back_what_it_owns(door: Door, people: People, owner: psycopg.Connection, tmp_path: Path) -> None:
    with started(door, tmp_path / "log") as process:
        run = submit(door, people, ("conformance", {"seconds": 60}))
        working(owner, run)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, (tmp_path / "log").read_text()
        assert run_of(owner, run)[:4] == ("queued", None, 0, 0)
        assert owner.execute("select state from ops.executors").fetchall() == [("lost",)]
    with started(door, tmp_path / "log"):
        working(owner, run)


def test_who_is_asked_to_drain_gives_back_what_it_owns_and_ends(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with started(door, tmp_path / "log") as process:
        run = submit(door, people, ("conformance", {"seconds": 60}))
        working(owner, run)
        assert owner.execute("select ops.drain_executor(id) from ops.executors").fetchall() == [(True,)]
        assert process.wait(timeout=60) == 0, (tmp_path / "log").read_text()
        assert run_of(owner, run)[:4] == ("queued", None, 0, 0)
        assert owner.execute("select state from ops.executors").fetchall() == [("lost",)]


def test_a_service_that_stumbles_is_asked_again_under_the_same_key(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with receiving() as receiver, started(door, tmp_path / "log", hosts=[receiver.host]):
        receiver.answers.append(503)
        hook: tuple[str, dict[str, object]] = ("webhook", {"url": receiver.url, "body": BODY})
        run = submit(door, people, ("conformance", {}), hook)
        assert ended(owner, run) == ("succeeded", None, 2, 0)
    assert [key for _, key, _ in receiver.received] == [f"{run}/webhook_1"] * 2
    told = owner.execute(
        "select type from ops.run_events where run_id = %s and phase = 'conformance_0' order by seq", [run]
    )
    assert [kind for (kind,) in told.fetchall()] == [
        "PHASE_STARTED",
        "PHASE_PROGRESS",
        "PHASE_SUCCEEDED",
        "PHASE_SKIPPED",
    ]


REFUSALS: dict[str, tuple[str, dict[str, object], str]] = {
    "a host that is not listed": ("webhook", {"url": "http://169.254.169.254/latest"}, "NOT_ALLOWED"),
    "another scheme": ("webhook", {"url": "file:///etc/passwd"}, "NOT_ALLOWED"),
    "no url": ("webhook", {}, "BAD_INPUT"),
    "too much": ("webhook", {"url": "HERE", "body": "x" * 70_000}, "BAD_INPUT"),
    "a service that says no": ("webhook", {"url": "HERE"}, "WEBHOOK_REFUSED"),
    "a kind that it does not know": ("ingest", {}, "NOT_FOUND"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_it_cannot_or_may_not_do_fails_the_run(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path, refusal: str
) -> None:
    kind, arguments, code = REFUSALS[refusal]
    with receiving() as receiver, started(door, tmp_path / "log", hosts=[receiver.host]):
        receiver.answers.append(403)
        given = {name: receiver.url if value == "HERE" else value for name, value in arguments.items()}
        run = submit(door, people, (kind, given))
        assert ended(owner, run)[:3] == ("failed", code, 1)
    assert len(receiver.received) == (1 if code == "WEBHOOK_REFUSED" else 0)


def test_a_redirect_does_not_lead_past_the_list(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with receiving() as receiver, started(door, tmp_path / "log", hosts=[receiver.host]):
        receiver.answers.append(302)
        run = submit(door, people, ("webhook", {"url": receiver.url}))
        assert ended(owner, run)[:3] == ("failed", "WEBHOOK_REFUSED", 1)
    assert [path for path, _, _ in receiver.received] == ["/hook"]


def test_as_an_edge_function_it_works_until_nothing_is_queued(
    door: Door, people: People, owner: psycopg.Connection, tmp_path: Path
) -> None:
    address = f"127.0.0.1:{free_port()}"
    runs = [submit(door, people, ("conformance", {}), p_idempotency_key=str(number)) for number in range(5)]
    served = {"DENO_SERVE_ADDRESS": f"tcp:{address}", "SERVED_AT": address}
    with started(door, tmp_path / "log", "index.ts", **served):
        until("it listens", lambda: "Listening" in (tmp_path / "log").read_text())
        answer = httpx.post(f"http://{address}/", timeout=30).json()
        assert httpx.get(f"http://{address}/").status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert answer["outcomes"] == {"succeeded": 5}
    assert {ended(owner, run)[0] for run in runs} == {"succeeded"}


def test_without_its_settings_it_says_which_is_missing(door: Door, tmp_path: Path) -> None:
    with started(door, tmp_path / "log", CONTROLROOM_HTTP_TOKEN="") as process:
        assert process.wait(timeout=60) == 1
    assert "CONTROLROOM_HTTP_TOKEN is not set" in (tmp_path / "log").read_text()
