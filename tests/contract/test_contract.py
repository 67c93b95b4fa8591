"""An executor's and a person's calls over HTTP, through a real PostgREST and a client of others' making."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any

import httpx
import psycopg
import pytest
from postgrest import APIError, SyncPostgrestClient

from ops.errors import all_errors
from tests.contract.door import Door
from tests.contract.people import EDITOR, STRANGER, VIEWER, People, call
from tests.contract.tokens import token, unsigned


def claim(client: SyncPostgrestClient, **more: Any) -> dict[str, Any]:
    """Registers an executor and claims one run."""
    executor_id = str(uuid.uuid4())
    call(
        client, "register_executor", executor_id=executor_id, name="http", capabilities=[], labels={}, slots=1, host="h",
        version="1",
    )  # fmt: skip
    [run] = call(client, "claim_run", executor_id=executor_id, **more)
    assert isinstance(run, dict)
    return {"run_id": run["run_id"], "lease_token": run["lease_token"]}


def test_a_run_lives_from_claim_to_completion(door: Door, people: People) -> None:
    editor, executor = door.person(EDITOR), door.executor()
    run_id = editor.rpc("create_run", people.run()).execute().data
    owned = claim(executor)
    assert owned["run_id"] == run_id
    call(executor, "start_run", **owned)
    event = str(uuid.uuid4())
    for _ in range(2):  # the answer to the first was lost
        tried = call(executor, "start_phase", **owned, phase="bronze", input_fingerprint=None, event_id=event)
        assert tried == 1
    [lease] = call(executor, "heartbeat_run", **owned)
    assert lease["cancel_requested"] is False
    progress = {"type": "PHASE_PROGRESS", "phase": "bronze", "message": "half", "event_id": str(uuid.uuid4())}
    call(executor, "append_events", **owned, events=[progress])
    artifact = {
        "phase": "bronze", "name": "a.json", "kind": "result", "sha256": hashlib.sha256(b"{}").hexdigest(),
        "byte_size": 2, "content_type": "application/json", "uri": "data:application/json,{}", "meta": {},
    }  # fmt: skip
    assert len({call(executor, "register_artifact", **owned, **artifact) for _ in range(2)}) == 1
    for _ in range(2):
        call(executor, "finish_phase", **owned, phase="bronze", status="succeeded", result={"rows_out": 3})
    for _ in range(2):
        call(executor, "complete_run", **owned, output_manifest={})
    viewer = door.person(VIEWER)
    [run] = viewer.from_("runs").select("status,attempt").eq("id", run_id).execute().data
    assert run == {"status": "succeeded", "attempt": 1}
    told = viewer.from_("run_events").select("type").eq("run_id", run_id).order("seq").execute().data
    assert [each["type"] for each in told if isinstance(each, dict)] == [
        "RUN_CREATED", "RUN_CLAIMED", "RUN_STARTED", "PHASE_STARTED", "PHASE_PROGRESS", "PHASE_SUCCEEDED",
        "RUN_SUCCEEDED",
    ]  # fmt: skip
    [found] = viewer.from_("run_artifacts").select("name,sha256").eq("run_id", run_id).execute().data
    assert found == {"name": "a.json", "sha256": artifact["sha256"]}
    [chain] = call(viewer, "verify_event_chain", run_id=run_id)
    assert chain["ok"] is True


def refused(client: SyncPostgrestClient, rpc: str, /, **arguments: Any) -> tuple[int, str]:
    """The status and code that the call is refused with, asked in plain HTTP: a library might hide the status."""
    answer = httpx.post(
        f"{client.base_url}/rpc/{rpc}",
        json={f"p_{key}": value for key, value in arguments.items()},
        headers={**client.headers, "Content-Profile": "api"},
    )
    return answer.status_code, answer.json().get("code", "")


def test_a_stale_owner_is_told_and_changes_nothing(door: Door, people: People, owner: psycopg.Connection) -> None:
    executor = door.executor()
    door.person(EDITOR).rpc("create_run", people.run()).execute()
    stale = claim(executor)
    call(executor, "start_run", **stale)
    assert call(door.person(EDITOR), "revoke_lease", run_id=stale["run_id"]) == "queued"
    current = claim(executor)
    assert current["lease_token"] > stale["lease_token"]
    before = owner.execute(
        "select (select sum(event_seq) from ops.run_leases), count(*) from ops.run_events"
    ).fetchall()
    calls: dict[str, dict[str, Any]] = {
        "start_run": {}, "heartbeat_run": {}, "start_phase": {"phase": "bronze", "input_fingerprint": None},
        "finish_phase": {"phase": "bronze", "status": "succeeded", "result": {}}, "complete_run": {"output_manifest": {}},
        "fail_run": {"error_code": "X", "error_message": "x"}, "release_run": {}, "pin_inputs": {"manifest": {}},
        "append_events": {"events": []}, "record_signal": {"key": "x", "value": 1},
        "release_canceled_run": {"reason": "x"},
    }  # fmt: skip
    answers = {name: refused(executor, name, **stale, **more) for name, more in calls.items()}
    assert answers == dict.fromkeys(calls, (412, "LEASE_LOST"))
    with pytest.raises(APIError) as caught:
        call(executor, "heartbeat_run", **stale)
    assert caught.value.code == "LEASE_LOST"
    assert stale["run_id"] in str(caught.value.message)
    after = owner.execute("select (select sum(event_seq) from ops.run_leases), count(*) from ops.run_events").fetchall()
    assert after == before
    [state] = call(
        executor, "heartbeat_runs", executor_id=str(uuid.uuid4()), run_ids=[stale["run_id"]],
        lease_tokens=[stale["lease_token"]], lease_seconds=30,
    )  # fmt: skip
    assert state["held"] is False


def test_each_error_has_its_status_and_its_stable_code(door: Door, people: People, owner: psycopg.Connection) -> None:
    editor, executor = door.person(EDITOR), door.executor()
    run_id = editor.rpc("create_run", people.run(p_idempotency_key="once")).execute().data
    owned = claim(executor)
    owner.execute(
        "insert into ops.caps (key, org_id, unit, amount, period) select 'rows', org_id, 'rows', 0, 'day' from ops.projects"
        " where id = %s",
        [people.project],
    )
    other = {key.removeprefix("p_"): value for key, value in people.run(p_idempotency_key="once").items()}
    assert refused(executor, "complete_run", **owned, output_manifest={}) == (409, "ILLEGAL_TRANSITION")
    call(executor, "start_run", **owned)
    phase = {"phase": "bronze", "input_fingerprint": None}
    assert refused(executor, "start_phase", **owned, **phase) == (429, "CAP_EXCEEDED")
    assert refused(editor, "create_run", **{**other, "params": {"x": 1}}) == (409, "CONFLICT")
    assert refused(editor, "cancel_run", run_id=str(uuid.uuid4()), reason="x") == (404, "NOT_FOUND")
    assert refused(door.person(STRANGER), "cancel_run", run_id=run_id, reason="x") == (404, "NOT_FOUND")
    assert refused(door.person(VIEWER), "cancel_run", run_id=run_id, reason="x") == (403, "NOT_ALLOWED")
    assert refused(executor, "claim_run", executor_id=str(uuid.uuid4()), lease_seconds=-1) == (400, "BAD_INPUT")


def test_every_error_of_the_schema_has_a_word_in_http(owner: psycopg.Connection) -> None:
    found = owner.execute("select sqlstate, code from private.http_errors()").fetchall()
    assert dict(found) == {kind.sqlstate: code for code, kind in all_errors().items() if kind.sqlstate}


def test_what_is_no_error_of_ours_keeps_its_sqlstate(door: Door) -> None:
    assert refused(door.executor(), "claim_run", executor_id="nonsense") == (400, "22P02")


BAD_TOKENS = {
    "none": None,
    "forged": token("controlroom_executor", secret="another secret that is longer than 32 bytes"),
    "alg none": unsigned("controlroom_executor"),
    "alg None": unsigned("controlroom_executor", "None"),
    "alg HS256 without signature": unsigned("controlroom_executor", "HS256"),
    "expired": token("controlroom_executor", exp=int(time.time()) - 3600),
    "not yet": token("controlroom_executor", nbf=int(time.time()) + 3600),
    "service_role": token("service_role"),
    "the owner": token("controlroom"),
    "superuser": token("postgres"),
    "bi": token("controlroom_bi"),
    "the dashboard's login": token("controlroom_login"),
    "anon": token("anon"),
    "nonsense": "a.b.c",
}


@pytest.mark.parametrize("bad", BAD_TOKENS)
def test_a_bad_token_opens_nothing(door: Door, people: People, bad: str, owner: psycopg.Connection) -> None:
    door.person(EDITOR).rpc("create_run", people.run()).execute()
    client = door.client(BAD_TOKENS[bad])
    status, _ = refused(client, "claim_run", executor_id=str(uuid.uuid4()))
    assert status in (400, 401, 403), status
    with pytest.raises(APIError):
        client.from_("runs").select("id").execute()
    assert owner.execute("select status from ops.runs").fetchall() == [("queued",)]


def test_each_role_may_do_its_own_and_nothing_else(door: Door, people: People) -> None:
    editor, executor = door.person(EDITOR), door.executor()
    run_id = editor.rpc("create_run", people.run()).execute().data
    assert refused(editor, "claim_run", executor_id=str(uuid.uuid4())) == (403, "42501")
    assert refused(executor, "cancel_run", run_id=run_id, reason="x") == (403, "42501")
    claim(executor)
    assert refused(door.person(VIEWER), "revoke_lease", run_id=run_id) == (403, "NOT_ALLOWED")
    assert refused(door.person(STRANGER), "revoke_lease", run_id=run_id) == (404, "NOT_FOUND")
    assert refused(executor, "revoke_lease", run_id=run_id) == (403, "42501")
    [run] = editor.from_("runs").select("status").eq("id", run_id).execute().data
    assert run == {"status": "claimed"}
    assert refused(executor, "requeue_stale_runs") == (404, "PGRST202")
    assert refused(editor, "hold_run", run_id=run_id, lease_token=1) == (404, "PGRST202")
    with pytest.raises(APIError) as caught:
        executor.from_("runs").select("id").execute()
    assert caught.value.code == "42501"
    with pytest.raises(APIError) as caught:
        editor.from_("runs").update({"status": "succeeded"}).eq("id", run_id).execute()
    assert caught.value.code == "42501"


VIEWS = (
    "projects", "pipelines", "runs", "run_leases", "run_phases", "run_events", "run_artifacts", "run_scores", "signals",
    "datasets", "dataset_versions", "lineage_edges",
)  # fmt: skip


def test_a_stranger_reads_nothing_of_a_project(door: Door, people: People) -> None:
    door.person(EDITOR).rpc("create_run", people.run()).execute()
    claim(door.executor())
    seen = {
        name: len(door.person(VIEWER).from_(name).select("*").execute().data)
        for name in ("projects", "pipelines", "runs", "run_leases", "run_phases", "run_events")
    }
    assert 0 not in seen.values(), seen
    for name in VIEWS:
        rows = door.person(STRANGER).from_(name).select("*").execute().data
        assert str(people.project) not in str(rows), name
    assert "lease_token" not in str(door.person(VIEWER).from_("run_leases").select("*").execute().data)


def test_the_door_is_nobodys_service_role_and_the_dashboards_login_no_executor(owner: psycopg.Connection) -> None:
    query = """
        select l.rolname, array_agg(r.rolname::text order by r.rolname)
        from pg_auth_members m join pg_roles l on l.oid = m.member join pg_roles r on r.oid = m.roleid
        where l.rolname in ('controlroom_http', 'controlroom_login') group by l.rolname
    """
    assert dict(owner.execute(query).fetchall()) == {
        "controlroom_http": ["anon", "authenticated", "controlroom_executor"],
        "controlroom_login": ["anon", "authenticated"],
    }


def test_http_shows_what_was_meant_for_the_same_callers_as_sql(owner: psycopg.Connection) -> None:
    query = """
        select p.proname, has_function_privilege(r.rolname, p.oid, 'execute'),
          has_function_privilege(r.rolname, o.oid, 'execute'), r.rolname
        from pg_proc p
        join pg_proc o on o.proname = p.proname and o.pronamespace = 'ops'::regnamespace
        cross join pg_roles r
        where p.pronamespace = 'api'::regnamespace
          and (r.rolname in ('anon', 'authenticated') or r.rolname in (
            'controlroom_executor', 'controlroom_bi', 'controlroom_http', 'controlroom_token'))
    """
    rows = owner.execute(query).fetchall()
    assert len(rows) == 41 * 6
    assert [row for row in rows if row[1] != row[2]] == []
    named = "select count(*), count(distinct proname) from pg_proc where pronamespace = 'api'::regnamespace"
    assert owner.execute(named).fetchall() == [(41, 41)]


def test_a_dedicated_executor_takes_only_what_needs_it(door: Door, people: People) -> None:
    editor, executor = door.person(EDITOR), door.executor()
    editor.rpc("create_run", people.run(p_idempotency_key="any")).execute()
    special = people.run(p_spec={"capabilities": ["webhook"]}, p_spec_sha256="6" * 64, p_pipeline="hook")
    wanted = editor.rpc("create_run", special).execute().data
    executor_id = str(uuid.uuid4())
    call(
        executor, "register_executor", executor_id=executor_id, name="light", capabilities=["webhook"], labels={},
        slots=1, host="h", version="1",
    )  # fmt: skip
    mine = {"executor_id": executor_id, "capabilities": ["webhook"], "dedicated": True, "max_runs": 9}
    assert call(executor, "claim_run", executor_id=executor_id, capabilities=["other"], dedicated=True) == []
    assert [run["run_id"] for run in call(executor, "claim_run", **mine)] == [wanted]
    assert call(executor, "claim_run", **mine) == []
    [anybodys] = call(executor, "claim_run", executor_id=executor_id, capabilities=[], max_runs=9)
    assert anybodys["run_id"] != wanted
    assert refused(editor, "create_run", project_id=str(people.project), env="dev", pipeline="p", spec={"capabilities": "x"},
                   spec_sha256="7" * 64, git_sha="a") == (400, "BAD_INPUT")  # fmt: skip
