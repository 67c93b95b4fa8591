"""The OpenAPI document is the schema's, is valid, and real answers are as it says."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import psycopg
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from controlroom.openapi import DOCUMENT, text
from tests.contract.door import Door
from tests.contract.people import EDITOR, People
from tests.contract.tokens import token

TOLD: dict[str, Any] = json.loads(DOCUMENT.read_text())


def test_the_committed_document_is_the_schemas(database: str) -> None:
    assert text(database) == DOCUMENT.read_text(), "run `python -m controlroom.openapi URL` and read the difference"


def test_the_document_is_valid_openapi() -> None:
    assert TOLD["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(TOLD).iter_errors()] == []


def test_a_fault_in_the_document_is_found() -> None:
    call = {**TOLD["paths"]["/rpc/claim_run"]["post"], "responses": {"200": {"$ref": "#/components/responses/None"}}}
    faulty = {**TOLD, "paths": {"/rpc/claim_run": {"post": call}}}
    with pytest.raises(Exception, match="None"):
        list(OpenAPIV31SpecValidator(faulty).iter_errors())


def test_a_change_of_the_schema_makes_the_document_stale(connection: psycopg.Connection, database: str) -> None:
    changes = [
        "comment on function api.start_run(uuid, bigint) is 'something else'",
        "create function api.more(p_one int) returns int language sql set search_path = pg_catalog, pg_temp as 'select 1'",
        "grant execute on function api.claim_run(uuid, text[], float8, int, boolean) to authenticated",
        "create view api.more as select 1 as one",
    ]
    for change in changes:
        before = text(database)
        connection.execute(change.encode())
        assert text(database) != before, change


class Asking:
    """Calls, each answer held against the document."""

    def __init__(self, door: Door, jwt: str) -> None:
        self.door, self.headers = door, {"Authorization": f"Bearer {jwt}"}
        self.seen: set[tuple[str, int]] = set()

    def __call__(self, path: str, /, **arguments: object) -> Any:
        method = "post" if path.startswith("/rpc/") else "get"
        request: dict[str, Any] = {"json": arguments} if method == "post" else {"params": arguments}
        answer = httpx.request(method.upper(), f"{self.door.url}{path}", headers=self.headers, **request)
        said = TOLD["paths"][path][method]
        assert str(answer.status_code) in said["responses"], f"{path}: HTTP {answer.status_code} is not in the document"
        response = said["responses"][str(answer.status_code)]
        if "$ref" in response:
            response = TOLD["components"]["responses"][response["$ref"].rpartition("/")[2]]
        self.seen.add((path, answer.status_code))
        if "content" not in response:
            assert not answer.content
            return None
        schema = response["content"]["application/json"]["schema"]
        if method == "post" and answer.is_success:
            Draft202012Validator(_rooted(said["requestBody"]["content"]["application/json"]["schema"])).validate(
                arguments
            )
        Draft202012Validator(_rooted(schema)).validate(answer.json())
        return answer.json()


def _rooted(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with what its references lead to."""
    return {**schema, "components": TOLD["components"]}


def test_real_answers_are_as_the_document_says(door: Door, people: People) -> None:
    editor, executor = Asking(door, token("authenticated", EDITOR)), Asking(door, token("controlroom_executor"))
    run = editor("/rpc/create_run", **people.run())
    executor_id = str(uuid.uuid4())
    executor(
        "/rpc/register_executor", p_executor_id=executor_id, p_name="x", p_capabilities=[], p_labels={}, p_slots=1,
        p_host="", p_version="",
    )  # fmt: skip
    [claimed] = executor("/rpc/claim_run", p_executor_id=executor_id)
    owned = {"p_run_id": run, "p_lease_token": claimed["lease_token"]}
    executor("/rpc/start_run", **owned)
    executor("/rpc/start_phase", **owned, p_phase="bronze", p_input_fingerprint=None)
    executor("/rpc/heartbeat_run", **owned)
    executor(
        "/rpc/heartbeat_runs", p_executor_id=executor_id, p_run_ids=[run], p_lease_tokens=[claimed["lease_token"]],
        p_lease_seconds=30,
    )  # fmt: skip
    executor("/rpc/pin_inputs", **owned, p_manifest={"tables": {}})
    executor("/rpc/complete_run", **owned, p_output_manifest={})
    executor("/rpc/finish_phase", **owned, p_phase="bronze", p_status="succeeded", p_result={})
    executor("/rpc/complete_run", **owned, p_output_manifest={})
    executor("/rpc/compute_run_score", p_run_id=run)
    executor("/rpc/heartbeat_run", **owned)
    executor("/rpc/cancel_run", p_run_id=run, p_reason="x")
    editor("/rpc/verify_event_chain", p_run_id=run)
    editor("/rpc/cancel_run", p_run_id=str(uuid.uuid4()), p_reason="x")
    Asking(door, "a.b.c")("/runs")
    for path in TOLD["paths"]:
        if not path.startswith("/rpc/"):
            editor(path)
    statuses = {status for _, status in editor.seen | executor.seen}
    assert statuses == {200, 204, 403, 404, 409, 412}
