"""Access tokens: what a holder can do with one, tried from a login of his own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from ops.database import Connection
from ops.embedded import Cluster
from ops.errors import BadInput, Conflict, NotAllowed, NotFound
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.acting import BOSS, GUEST, MATE, Act, person
from tests.operating import PHASES, SPEC


@contextmanager
def token_session(cluster: Cluster, database: str, token: str) -> Iterator[Connection]:
    """What a holder of the token can do: a login that may become authenticated, and anything that SQL can say."""
    login = cluster.token_url(str(psycopg.conninfo.conninfo_to_dict(database)["dbname"]))
    with psycopg.connect(login, autocommit=True) as connection:
        connection.execute("select set_config('controlroom.token', %s, false)", [token])
        connection.execute("set role authenticated")
        yield connection


def visible(connection: Connection) -> set[tuple[object, ...]]:
    return set(connection.execute("select o.slug, p.slug from ops.projects p join ops.orgs o on o.id = p.org_id"))


def test_a_token_makes_its_holder_its_owner_and_claims_do_not(
    acme: Connection, cluster: Cluster, database: str
) -> None:
    token = Tenancy(acme).create_access_token("laptop", "viewer", subject=BOSS)
    with token_session(cluster, database, token) as held:
        assert held.execute("select ops.use_access_token()").fetchone() == (BOSS,)
        assert visible(held) == {("acme", "books"), ("acme", "shelf")}
        for claims in ('{"sub": "someone@rivals"}', '{"role": "service_role"}', "", "{}"):
            held.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            assert visible(held) == {("acme", "books"), ("acme", "shelf")}
        for role in ("service_role", "controlroom_executor", "controlroom_login", "controlroom_bi"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                held.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        held.execute("reset role")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            held.execute("select * from ops.projects")
        held.execute("set role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            held.execute("select * from private.access_token_hashes")


def test_a_token_allows_at_most_what_it_says(acme: Connection, cluster: Cluster, database: str) -> None:
    books = Rpc(acme).ensure_project("acme", "books")
    token = Tenancy(acme).create_access_token("ci", "operator", books, ["dev"], subject=BOSS)
    Rpc(acme).create_run(books, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
    with token_session(cluster, database, token) as held:
        assert visible(held) == {("acme", "books")}
        rpc, tenancy = Rpc(held), Tenancy(held)
        assert rpc.create_run(books, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
        for act in (
            lambda: tenancy.set_member("acme", "books", GUEST, "viewer", ["dev"]),
            lambda: tenancy.set_member("acme", None, GUEST, "viewer"),
            lambda: tenancy.create_access_token("child"),
            lambda: tenancy.create_project("acme", "cellar"),
            lambda: rpc.register_pipeline(books, "other", SPEC, "6" * 64, "a" * 40),
            lambda: rpc.create_run(books, "stage", "demo", SPEC, "5" * 64, "a" * 40, PHASES),
        ):
            with pytest.raises((NotAllowed, NotFound)):
                act()


def test_a_token_ends_at_once_when_it_is_revoked_or_expires(acme: Connection, cluster: Cluster, database: str) -> None:
    owner = Tenancy(acme)
    for ending in ("revoke", "expire", "remove"):
        owner.set_member("acme", "books", MATE, "viewer")
        token = owner.create_access_token(ending, subject=MATE)
        with token_session(cluster, database, token) as held:
            assert visible(held) == {("acme", "books")}
            if ending == "revoke":
                owner.revoke_access_token(ending, MATE)
            elif ending == "expire":
                acme.execute("update ops.access_tokens set expires_at = clock_timestamp() where name = 'expire'")
            else:
                owner.remove_member("acme", "books", MATE)
            assert visible(held) == set()
            if ending != "remove":
                with pytest.raises(NotAllowed, match="unknown, expired or revoked"):
                    Tenancy(held).use_access_token()


def test_only_the_hash_of_a_token_is_kept(acme: Connection) -> None:
    token = Tenancy(acme).create_access_token("laptop", subject=BOSS)
    assert token.startswith("crt_")
    assert len(token) == 68
    tables = acme.execute(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname in ('ops', 'private') and c.relkind = 'r'"
    )
    for (table,) in tables.fetchall():
        rows = acme.execute(f"select t::text from {table} t".encode()).fetchall()
        assert not [row for row in rows if token in row[0] or token.removeprefix("crt_") in row[0]], table


def test_people_make_tokens_for_themselves_only(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        assert boss.create_access_token("mine")
        assert [each.name for each in boss.access_tokens()] == ["mine"]
    acts: list[Act] = [
        lambda guest: guest.create_access_token("theirs", subject=BOSS),
        lambda guest: guest.revoke_access_token("mine", BOSS),
        lambda guest: guest.revoke_access_token("mine"),
    ]
    for act in acts:
        with person(acme, GUEST) as guest, pytest.raises((NotAllowed, NotFound)):
            act(guest)
    with person(acme, BOSS) as boss, pytest.raises(Conflict, match="already"):
        boss.create_access_token("mine")
    for lifetime in (timedelta(0), timedelta(days=400)):
        with pytest.raises(BadInput, match="366 days"):
            Tenancy(acme).create_access_token("odd", lifetime=lifetime, subject=BOSS)
