"""``python -m controlroom.openapi URL``: writes ``docs/openapi.json``, the executor contract over HTTP as OpenAPI 3.1.

``URL`` is a freshly migrated database: names, types, words and callers are those of its schema ``api``, so that the document
cannot say what is not there. A test compares the file with one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ops.errors import all_errors
from ops.sql import queries

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"
# Of the contract, not of this program: the first number changes when an executor that keeps the old one would fail.
VERSION = "1.0.0"
Json = dict[str, Any]
_TYPES: Mapping[str, Json] = {
    "uuid": {"type": "string", "format": "uuid"},
    "text": {"type": "string"},
    "integer": {"type": "integer", "format": "int32"},
    "bigint": {"type": "integer", "format": "int64"},
    "double precision": {"type": "number", "format": "double"},
    "numeric": {"type": "number"},
    "boolean": {"type": "boolean"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
    "jsonb": {},
}
_ABOUT = """\
What an executor, and whoever starts runs, may ask of a control room through PostgREST. Send a JSON Web Token whose `role` \
is `controlroom_executor` (executors) or `authenticated` with a `sub` (people). Every call of an owner names the run and \
the lease token that its claim gave; `LEASE_LOST` means that the run is somebody else's and nothing was changed. Every \
call but a claim may be repeated when its answer was lost. docs/executor-contract.md says what an executor must do."""


def document(url: str) -> Json:
    """The contract as the database behind ``url`` has it."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        found = {name: connection.execute(query).fetchall() for name, query in queries("contract").items()}
    paths: Json = {f"/rpc/{each['name']}": {"post": _call(each, found["errors"])} for each in found["functions"]}
    paths |= {f"/{each['name']}": {"get": _reading(each)} for each in found["views"]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lakehouse Control Room: the executor contract",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "{postgrest}", "variables": {"postgrest": {"default": "http://127.0.0.1:3000"}}}],
        "security": [{"token": []}],
        "tags": [
            {"name": "executor", "description": "For role controlroom_executor."},
            {"name": "person", "description": "For role authenticated: a member of the project."},
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "parameters": {
                "call": _profile("Content-Profile"),
                "read": _profile("Accept-Profile"),
                **{name: _query(name, words) for name, words in _QUERY.items()},
            },
            "schemas": {
                "Error": _error(found["errors"]),
                **{each["name"]: _row(each["columns"]) for each in found["views"]},
            },
            "responses": _responses(found["errors"]),
        },
    }


def text(url: str) -> str:
    """The document as its file has it."""
    return json.dumps(document(url), indent=1, ensure_ascii=False) + "\n"


_QUERY = {
    "select": "Columns, with commas between them.",
    "order": "Columns to sort by, such as `created_at.desc`.",
    "limit": "Rows at most.",
}


def _query(name: str, words: str) -> Json:
    return {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}


def _profile(header: str) -> Json:
    return {
        "name": header,
        "in": "header",
        "required": False,
        "description": "Needed where PostgREST serves other schemas before this one, as on Supabase.",
        "schema": {"const": "api"},
    }


def _schema(type_name: str) -> Json:
    if type_name.endswith("[]"):
        return {"type": "array", "items": _schema(type_name.removesuffix("[]"))}
    return dict(_TYPES[type_name])


def _nullable(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _object(fields: Sequence[Json]) -> Json:
    """Anything may be null: Postgres does not say of an argument or of a view's column that it may not."""
    return {"type": "object", "properties": {each["name"]: _nullable(_schema(each["type"])) for each in fields}}


def _row(columns: Sequence[Json]) -> Json:
    return {**_object(columns), "required": [each["name"] for each in columns]}


def _call(function: Json, errors: Sequence[Json]) -> Json:
    """One function; the arguments without a default are required."""
    answer = _answer(function)
    required = [each["name"] for each in function["arguments"] if not each["optional"]]
    return {
        "operationId": function["name"],
        "summary": function["comment"],
        "tags": _tags(function["roles"]),
        "parameters": [{"$ref": "#/components/parameters/call"}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        **_object(function["arguments"]),
                        "additionalProperties": False,
                        **({"required": required} if required else {}),
                    }
                }
            },
        },
        "responses": {**answer, **{str(status): _reference(status) for status in _statuses(errors)}},
    }


def _answer(function: Json) -> Json:
    if function["result"] == "void":
        return {"204": {"description": "Done."}}
    schema = _schema(function["result"]) if not function["columns"] else _row(function["columns"])
    schema = {"type": "array", "items": schema} if function["is_set"] else _nullable(schema)
    return {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}}


def _reading(view: Json) -> Json:
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{view['name']}"}}
    return {
        "operationId": f"read_{view['name']}",
        "summary": f"Rows of {view['name']} that the caller may see; a column's name filters, as in `id=eq.…`.",
        "tags": _tags(view["roles"]),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in ("read", *_QUERY)],
        "responses": {
            "200": {"description": "The rows.", "content": {"application/json": {"schema": rows}}},
            "401": _reference(401),
            "403": _reference(403),
        },
    }


def _tags(roles: Sequence[str]) -> list[str]:
    words = {"controlroom_executor": "executor", "authenticated": "person"}
    return [words[role] for role in words if role in roles]


def _statuses(errors: Sequence[Json]) -> list[int]:
    return sorted({401, *(each["status"] for each in errors)})


def _reference(status: int) -> Json:
    return {"$ref": f"#/components/responses/Status{status}"}


def _responses(errors: Sequence[Json]) -> Json:
    said = {code: (kind.__doc__ or "").strip().splitlines()[0] for code, kind in all_errors().items()}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: Json = {}
    for status in _statuses(errors):
        lines = [f"{each['code']}: {said[each['code']]}" for each in errors if each["status"] == status]
        lines += ["The token is missing, forged or expired."] if status == 401 else []
        lines += ["42501: the token's role may not make this call."] if status == 403 else []
        lines += ["A SQLSTATE of class 22: an argument has the wrong form."] if status == 400 else []
        found[f"Status{status}"] = {"description": "\n\n".join(lines), "content": content}
    return found


def _error(errors: Sequence[Json]) -> Json:
    return {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {
                "type": "string",
                "description": "Stable; a code that is not listed is PostgREST's or a SQLSTATE.",
                "examples": [each["code"] for each in errors],
            },
            "message": {"type": "string", "description": "For a person: the thing, the value, the way out."},
            "details": {},
            "hint": {},
        },
    }


if __name__ == "__main__":
    DOCUMENT.write_text(text(sys.argv[1]))
