"""A query of a server: for editors only, never known beforehand, and without a trace of its address."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from ops.errors import BadInput, NotAllowed, PhaseFailed, SecretMissing
from ops.secrets import SecretStore
from pipelines.handler import Answers, KnownAnswer, QueryRights
from pipelines.handlers.query import handle
from tests.pipelines.handlers.conftest import Bench, one_phase

PASSWORD = "pw-canary-7f3a"


class NoAnswers(Answers):
    def known(self, key: str) -> KnownAnswer | None:
        raise AssertionError(f"a server's answer was looked for under {key}")


@pytest.fixture
def served(bench: Bench, cluster: Cluster) -> Bench:
    """A server with a table and a login, and its address where the settings look for it."""
    with psycopg.connect(bench.url, autocommit=True) as owner:
        owner.execute("create table people as select * from (values (2, 'Bob'), (1, 'Ada')) as v (id, name)")
    url = cluster.url(str(conninfo_to_dict(bench.url)["dbname"]), tcp=True)
    place = bench.home / "secrets" / "sql" / "postgres" / "acme" / "demo"
    place.mkdir(parents=True)
    (place / "dev").write_text(url + "\n")
    return bench


def query(sql: str, **more: object) -> dict[str, object]:
    return {"kind": "query", "engine": "postgres", "sql": sql, **more}


def test_result_and_preview_are_for_editors_and_the_manifest_says_who_answered(served: Bench) -> None:
    done = served.run(query("select id, name from people, params where id >= first", preview_rows=1), first=1)
    assert done.metrics == {"personal": True, "server": "postgres"}
    meta = {one.kind: dict(one.meta) for one in done.artifacts}
    assert meta == {"sql": {}, "manifest": {}, **{kind: {"personal": True} for kind in ("plan", "result", "preview")}}
    kinds = {one.kind: served.artifacts.read(one.uri) for one in done.artifacts}
    # As the server gave them: an order that nobody asked for is not put in its place.
    assert pl.read_parquet(kinds["result"]).rows() == [(2, "Bob"), (1, "Ada")]
    assert json.loads(kinds["preview"]) == [{"id": 2, "name": "Bob"}]
    assert b"Scan on people" in kinds["plan"]
    manifest = json.loads(kinds["manifest"])
    assert (manifest["engine"], manifest["inputs"], manifest["rows"]) == ("postgres", {}, 2)
    assert manifest["engine_version"].startswith("PostgreSQL ")
    assert (done.rows_in, done.rows_out) == (0, 2)


def test_nothing_is_known_beforehand_nor_kept_for_later(served: Bench) -> None:
    phase = one_phase(query("select 1 as x"))
    ctx = replace(served.context(phase), rights=QueryRights(question=True), answers=NoAnswers())
    assert "answer_key" not in handle(ctx, phase).metrics


def test_the_address_leaves_no_trace(served: Bench) -> None:
    password = str(conninfo_to_dict(served.url)["password"])
    done = served.run(query("select current_setting('application_name') as x"))
    for one in done.artifacts:
        assert password.encode() not in served.artifacts.read(one.uri)
    for sql in ("select nope", "select 'x'::text::int as x", "select 1; select 2"):
        with pytest.raises((BadInput, PhaseFailed)) as caught:
            served.run(query(sql))
        assert password not in f"{caught.value} {caught.value.data}"


def test_without_a_server_it_is_said_what_to_store(bench: Bench) -> None:
    with pytest.raises(SecretMissing, match=r"engine trino has no server in acme/demo/dev: .*sql/trino/acme/demo/dev"):
        bench.run({**query("select 1"), "engine": "trino"})
    place = bench.home / "secrets" / "sql" / "postgres" / "acme" / "demo"
    place.mkdir(parents=True)
    (place / "dev").write_text(f"mysql://me:{PASSWORD}@x/y")
    with pytest.raises(BadInput, match="address of the engine postgres cannot be read") as caught:
        bench.run(query("select 1"))
    assert PASSWORD not in str(caught.value)


def test_a_project_asks_the_servers_that_it_may_and_no_other(served: Bench) -> None:
    phase = one_phase(query("select 1 as x"))
    ctx = served.context(phase)
    allowed = frozenset({"secret://file/sql/postgres/acme/demo/dev"})
    assert handle(replace(ctx, secrets=SecretStore(served.home, allowed=lambda: allowed)), phase).rows_out == 1
    other = replace(ctx, scope=replace(ctx.scope, project="other"))
    with pytest.raises(NotAllowed, match="none of this project's"):
        handle(replace(other, secrets=SecretStore(served.home, allowed=lambda: allowed)), phase)
