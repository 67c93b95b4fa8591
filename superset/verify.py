"""Isolation, asked through the API by users made for it: what a member of the tenant gets, and what a stranger does.

A probe may see its tenant's rows, all of them and no other, whichever way it asks; everything that would lead past the rules
must be refused. A dataset about which a question is answered wrongly is not certified, and its grants are taken back.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from superset.bundle import SCHEMA, TENANT, Json, Publication
from superset.client import API, Superset
from superset.security import VIEWER, Security, tenant_role

COUNT = {"label": "rows", "expressionType": "SQL", "sqlExpression": "count(*)"}
SAMPLES = 50
# Ways of writing a condition that would let everything through, were it pasted in without a look.
INJECTIONS = ("1 = 1) or (1 = 1", "1 = 1 or 1 = 1", f"{TENANT} is not null) or (true", "1 = 1) -- ")


@dataclass(frozen=True)
class Finding:
    """A question that was answered wrongly."""

    dataset: str
    question: str
    answer: str


@dataclass(frozen=True)
class Asked:
    """A dataset that is asked about, and how many rows the tenant really has."""

    name: str
    superset_id: int
    rows: int


@contextmanager
def probe(client: Superset, publication: Publication, roles: Mapping[str, int], role: str | None) -> Iterator[Superset]:
    """A session of a user who has the viewer's rights and one tenant's role, or none; nobody can be it afterwards."""
    security = Security(client)
    # Of the tenant's own either way: two projects may publish at once.
    name = f"controlroom-probe-{publication.tenant}" + ("" if role else "-stranger")
    password = secrets.token_urlsafe(32)
    ids = [roles[each] for each in (VIEWER, role) if each is not None]
    if (known := security.user(name)) is None:
        security.make_user(name, ids, password)
        known = security.user(name)
    else:
        client.put(f"/security/users/{known['id']}", {"roles": ids, "active": True, "password": password})
    assert known is not None
    try:
        with Superset.signed_in(client.url, name, password) as session:
            session.browse(name, password)
            yield session
    finally:
        client.put(f"/security/users/{known['id']}", {"active": False, "password": secrets.token_urlsafe(32)})


def verify(
    client: Superset, publication: Publication, asked: Sequence[Asked], strange: Sequence[int], roles: Mapping[str, int]
) -> list[Finding]:
    """Asks everything; the wrong answers.

    Args:
        strange: ids of other tenants' datasets, which the probe must not even reach.
    """
    found: list[Finding] = []
    with probe(client, publication, roles, tenant_role(publication)) as member:
        for one in asked:
            found += [Finding(one.name, *wrong) for wrong in _member(member, publication.tenant, one)]
        found += [Finding("", *wrong) for wrong in _doors(member, asked, strange)]
    with probe(client, publication, roles, None) as stranger:
        for one in asked:
            for way, answer in _ways(stranger, one):
                if answer.status_code < 400:
                    found.append(Finding(one.name, f"{way}, as a stranger", f"answered: {answer.text[:100]}"))
    return found


def chart_data(session: Superset, dataset_id: int, kind: str = "json", **query: object) -> httpx.Response:
    """An answer of ``/chart/data`` to one query."""
    asked = {
        "columns": [], "metrics": [], "filters": [], "extras": {}, "orderby": [], "row_limit": 10_000,
        "time_range": "No filter", **query,
    }  # fmt: skip
    body = {
        "datasource": {"id": dataset_id, "type": "table"}, "force": True, "queries": [asked], "result_format": kind,
        "result_type": "full",
    }  # fmt: skip
    return session.raw("POST", f"{API}/chart/data", json=body)


def samples(session: Superset, dataset_id: int, filters: Sequence[Json] = ()) -> httpx.Response:
    """Rows as "drill to detail" and the samples pane ask for them."""
    where = f"/datasource/samples?datasource_type=table&datasource_id={dataset_id}&force=true&per_page={SAMPLES}&page=1"
    return session.raw("POST", where, json={"filters": list(filters)} if filters else {})


def filter_values(session: Superset, dataset_id: int, column: str = TENANT) -> httpx.Response:
    return session.raw("GET", f"{API}/datasource/table/{dataset_id}/column/{column}/values/")


def rows_of(answer: httpx.Response) -> list[Json]:
    """Rows of a chart's data, or of samples."""
    result = answer.json()["result"]
    found: list[Json] = result["data"] if isinstance(result, dict) else result[0]["data"]
    return found


def _ways(session: Superset, one: Asked) -> Iterator[tuple[str, httpx.Response]]:
    """Every way in which the rows of a dataset are read."""
    yield "chart data", chart_data(session, one.superset_id, columns=[TENANT], metrics=[COUNT])
    yield "CSV", chart_data(session, one.superset_id, "csv", columns=[TENANT], metrics=[COUNT])
    yield "samples", samples(session, one.superset_id)
    yield "filter values", filter_values(session, one.superset_id)


def _member(session: Superset, tenant: str, one: Asked) -> Iterator[tuple[str, str]]:
    expected = [{TENANT: tenant, "rows": one.rows}] if one.rows else []
    for way, answer in _ways(session, one):
        if answer.status_code >= 400:
            yield way, f"refused with {answer.status_code}: {answer.text[:200]}"
            continue
        match way:
            case "chart data":
                got: object = rows_of(answer)
                right = got == expected
            case "CSV":
                # Headed by labels, so columns are known by their place.
                table = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
                got = [(row[0], int(float(row[1]))) for row in table[1:]]
                right = got == [tuple(row.values()) for row in expected]
            case "samples":
                sampled = rows_of(answer)
                got = (len(sampled), sorted({str(row[TENANT]) for row in sampled}))
                right = got == (min(one.rows, SAMPLES), [tenant] if one.rows else [])
            case _:
                got = answer.json()["result"]
                right = got == ([tenant] if one.rows else [])
        if not right:
            yield way, f"got {str(got)[:200]}, expected the {one.rows} rows of {tenant} alone"
    yield from _past_the_rules(session, tenant, one)


def _past_the_rules(session: Superset, tenant: str, one: Asked) -> Iterator[tuple[str, str]]:
    """Questions that must give own rows alone, or be refused."""
    others = [{"col": TENANT, "op": "!=", "val": tenant}]
    drilled = samples(session, one.superset_id, others)
    if drilled.status_code < 400 and rows_of(drilled):
        yield "drill to others' rows", f"got {len(rows_of(drilled))} rows"
    for where in INJECTIONS:
        answer = chart_data(session, one.superset_id, columns=[TENANT], metrics=[COUNT], extras={"where": where})
        if answer.status_code < 400 and any(row[TENANT] != tenant for row in rows_of(answer)):
            yield f"a condition {where!r}", f"got {str(rows_of(answer))[:200]}"
    within = f'(select count(*) from {SCHEMA}."{one.name}")'  # noqa: S608 - it is the attack
    for sql in (within, f"max({within})"):
        metric = {"label": "all", "expressionType": "SQL", "sqlExpression": sql}
        answer = chart_data(session, one.superset_id, metrics=[metric])
        if answer.status_code < 400:
            yield "a query within a metric", f"answered: {str(rows_of(answer))[:200]}"


def _doors(session: Superset, asked: Sequence[Asked], strange: Sequence[int]) -> Iterator[tuple[str, str]]:
    """What a member must not reach at all."""
    for dataset_id in strange:
        answer = chart_data(session, dataset_id, metrics=[COUNT])
        if answer.status_code < 400:
            yield f"dataset {dataset_id} of another tenant", f"answered: {answer.text[:200]}"
    if not asked:
        return
    database = _database_id(session, asked[0].superset_id)
    everything = f'select * from {SCHEMA}."{asked[0].name}"'  # noqa: S608 - it is the attack
    attempts: list[tuple[str, str, str, Json]] = [
        ("SQL Lab", "POST", "/sqllab/execute/", {"database_id": database, "sql": everything, "runAsync": False}),
        ("a virtual dataset", "POST", "/dataset/", {"database": database, "table_name": "x", "sql": everything}),
        ("editing the dataset", "PUT", f"/dataset/{asked[0].superset_id}", {"sql": everything}),
        ("a rule of one's own", "POST", "/rowlevelsecurity/", {
            "name": "x", "filter_type": "Regular", "clause": "1 = 1", "tables": [asked[0].superset_id], "roles": [1]}),
        ("reading roles", "GET", "/security/roles/", {}),
    ]  # fmt: skip
    for door, method, path, body in attempts:
        answer = session.raw(method, API + path, json=body) if body else session.raw(method, API + path)
        if answer.status_code < 400:
            yield door, f"answered {answer.status_code}: {answer.text[:200]}"


def _database_id(session: Superset, dataset_id: int) -> int:
    found: int = session.get(f"/dataset/{dataset_id}")["result"]["database"]["id"]
    return found
