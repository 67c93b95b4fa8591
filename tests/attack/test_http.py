"""Everybody over HTTP: views and calls of a real PostgREST, by good tokens for others' rows and bad tokens for anything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ops import embedded
from tests.attack.population import GIT_SHA, SHA256, Person, Population, Scope
from tests.attack.tally import Tally
from tests.contract.conftest import postgrest
from tests.contract.door import Door, open_door
from tests.contract.tokens import SECRET, encoded, token, unsigned

__all__ = ["postgrest"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
REFUSED = (401, 403, 404)


@pytest.fixture(scope="module")
def door(
    postgrest: Path, cluster: embedded.Cluster, population: Population, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    log = tmp_path_factory.mktemp("door") / "postgrest.log"
    with open_door(postgrest, cluster, population.url, log) as opened:
        yield opened


@pytest.fixture
def http(door: Door) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=door.url, headers={"Accept-Profile": "api", "Content-Profile": "api"}) as client:
        yield client


def bearer(jwt: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {jwt}"}


def views(tally: Tally) -> dict[str, list[str]]:
    rows = tally.owner.execute(
        "select c.relname, array_agg(a.attname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'api'::regnamespace and c.relkind = 'v' and a.attnum > 0 group by 1 order by 1"
    )
    return dict(rows.fetchall())


def calls(tally: Tally) -> list[str]:
    """Every function that PostgREST exposes."""
    rows = tally.owner.execute(
        "select distinct proname from pg_proc where pronamespace = 'api'::regnamespace order by 1"
    )
    return [name for (name,) in rows.fetchall()]


def sample(population: Population) -> list[Person]:
    """One person of each kind: of an org, of a project, of each environment, with each role; and nobody."""
    return [
        person for person in population.people if person.org in ("acme", None) and person.project in ("books", None)
    ]


def narrowed(columns: list[str], scope: Scope) -> dict[str, str]:
    """A filter that names the scope's rows outright, as far as the view's columns can."""
    wanted = {
        "project_id": f"eq.{scope.project_id}",
        "env": f"eq.{scope.env}",
        "run_id": f"eq.{scope.ended}",
        "dataset_id": f"eq.{scope.dataset}",
    }
    return {name: value for name, value in wanted.items() if name in columns}


def test_no_route_shows_anothers_rows(population: Population, tally: Tally, http: httpx.Client) -> None:
    found = views(tally)
    assert len(found) >= 12
    for person in sample(population):
        headers = bearer(token("authenticated", person.subject))
        for scope in population.scopes:
            if person.may_see(scope):
                continue
            for name, columns in found.items():
                answer = http.get(f"/{name}", params=narrowed(columns, scope), headers=headers)
                assert answer.status_code in (200, *REFUSED), answer.text
                tally.tried(scope.mark in answer.text, f"{person.subject} reads {scope.mark} by GET /{name}")
    assert tally.attempts > 2000


TRICKS = (
    "?select=*&or=(project_id.not.is.null,id.not.is.null)", "?select=*,projects(*)", "?id=not.is.null",
    "?order=id.desc&limit=1000",
    "?select=count()", "?env=eq.dev'%20or%20true--", "?env=eq.dev%00", "?project_id=in.(select%20id%20from%20ops.projects)",
    "?and=(id.gt.00000000-0000-0000-0000-000000000000)", "?select=spec->>note", "?offset=-1",
)  # fmt: skip


def test_no_trick_of_the_query_language_shows_more(population: Population, tally: Tally, http: httpx.Client) -> None:
    people = [person for person in population.people if person.subject in ("nobody", "viewer@acme+books+dev")]
    for person in people:
        headers = bearer(token("authenticated", person.subject))
        for name in views(tally):
            for trick in TRICKS:
                for profile in ("api", "ops", "private", "auth", "pg_catalog"):
                    answer = http.get(f"/{name}{trick}", headers={**headers, "Accept-Profile": profile})
                    hidden = [s.mark for s in population.scopes if not person.may_see(s) and s.mark in answer.text]
                    if profile != "api" and answer.status_code == 200:
                        hidden.append(f"schema {profile}")
                    tally.tried(bool(hidden), f"{person.subject} by /{name}{trick} of {profile} sees {hidden}")


# What may answer, with nothing.
SEARCHES = ("find_runs", "find_queries")


def arguments(scope: Scope) -> dict[str, object]:
    """Values for every argument that the calls have, all of them the scope's."""
    return {
        "p_project_id": str(scope.project_id), "p_env": scope.env, "p_pipeline": "job", "p_slug": "job", "p_version": 1,
        "p_spec": {"version": 1, "pipeline": "job", "note": f"mark-{scope.org}-{scope.project}"}, "p_spec_sha256": SHA256,
        "p_sha256": SHA256, "p_git_sha": GIT_SHA, "p_run_id": str(scope.queued), "p_lease_token": 1, "p_reason": "mine",
        "p_phase": "land", "p_status": "succeeded", "p_result": {}, "p_text": scope.mark, "p_executor_id": str(scope.ended),
        "p_output_manifest": {}, "p_events": [], "p_dataset": {}, "p_manifest": {}, "p_cap_key": scope.mark, "p_amount": 1,
        "p_error_code": "X", "p_error_message": "x", "p_name": "x", "p_tables": [], "p_signal": "x", "p_value": 1,
        "p_filter": {"text": scope.mark},
    }  # fmt: skip


def test_no_call_over_http_reaches_another(population: Population, tally: Tally, http: httpx.Client) -> None:
    """Each call with each argument that fits it; what a function does not know of the arguments it is not given."""
    takes = {
        name: {argument for argument in names if argument.startswith("p_")}
        for name, names in tally.owner.execute(
            "select proname, coalesce(proargnames, '{}') from pg_proc where pronamespace = 'api'::regnamespace"
        ).fetchall()
    }
    assert len(takes) >= 25
    for person in sample(population):
        headers = bearer(token("authenticated", person.subject))
        for scope in population.scopes:
            if person.may_see(scope):
                continue
            for name, taken in takes.items():
                if name == "register_pipeline" and person.belongs_to(scope):
                    continue
                given = {key: value for key, value in arguments(scope).items() if key in taken}
                answer = http.post(f"/rpc/{name}", json=given, headers=headers)
                if given:
                    reached = answer.is_success and not (name in SEARCHES and answer.text == "[]")
                else:
                    # Nobody's in particular is asked for: what comes must be of the person's own places.
                    reached = f"mark-{scope.org}-{scope.project}" in answer.text and not person.belongs_to(scope)
                tally.tried(reached, f"{person.subject}: {name} on {scope.mark}: {answer.text[:200]}")
    assert tally.attempts > 2000


def bad_tokens() -> dict[str, str]:
    good = token("service_role")
    body = good.split(".")[1]
    hmac_as_key = token("service_role", secret=json.dumps({"kty": "oct"}))
    return {
        "of another secret": token("service_role", secret="x" * 40),
        "without a signature": unsigned("service_role"),
        "without a signature, as None": unsigned("controlroom_executor", "None"),
        "that begins later": token("authenticated", "admin@acme", nbf=int(time.time()) + 3600),
        "that has expired": token("authenticated", "admin@acme", exp=int(time.time()) - 3600),
        "with another's body": ".".join([unsigned("authenticated").split(".")[0], body, good.split(".")[2]]),
        "of a role that the door may not take": good,
        "of the schema's owner": token("controlroom"),
        "of no role at all that exists": token("root"),
        "signed by a public key": hmac_as_key,
        "cut off": good[:-10],
        "of nothing": encoded({}) + ".." ,
        "with its secret as subject": token("anon", SECRET),
    }  # fmt: skip


def test_no_bad_token_opens_anything(population: Population, tally: Tally, http: httpx.Client) -> None:
    scope = population.scopes[0]
    for kind, jwt in bad_tokens().items():
        for name in views(tally):
            answer = http.get(f"/{name}", headers=bearer(jwt))
            tally.tried(answer.is_success and answer.text != "[]", f"a token {kind} reads /{name}: {answer.text[:100]}")
        for name in calls(tally):
            answer = http.post(f"/rpc/{name}", json=arguments(scope), headers=bearer(jwt))
            tally.tried(answer.is_success, f"a token {kind} calls {name}: {answer.text[:100]}")
    for name, columns in views(tally).items():
        for verb in ("POST", "PATCH", "DELETE", "PUT"):
            answer = http.request(
                verb, f"/{name}", json={columns[0]: None}, headers=bearer(token("authenticated", "admin@acme"))
            )
            tally.tried(answer.is_success, f"{verb} /{name}: {answer.text[:100]}")
