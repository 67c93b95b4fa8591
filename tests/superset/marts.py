"""Shared tables of gold as a publish leaves them, without one, and the logins of two tenants."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from ops.model import Scope
from superset import gold

TENANTS = ("acme/demo/dev", "rivals/demo/dev")


def marts_of(url: str) -> str:
    """A shared table with rows of two tenants, and a table of nobody's, in the database of ``url``."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("create schema gold")
        owner.execute("create table gold.revenue (amount int, tenant text not null) partition by list (tenant)")
        owner.execute("comment on table gold.revenue is 'controlroom shared'")
        for number, tenant in enumerate(TENANTS):
            part = sql.Identifier("gold", f"revenue_{number}")
            owner.execute(
                sql.SQL("create table {} partition of gold.revenue for values in ({})").format(
                    part, sql.Literal(tenant)
                )
            )
            said = sql.Literal(f"controlroom gold.revenue version {number} v1:{number}")
            owner.execute(sql.SQL("comment on table {} is {}").format(part, said))
            owner.execute(sql.SQL("insert into {} values ({}, {})").format(part, number, sql.Literal(tenant)))
        owner.execute("create table gold.unshared as select 1 as secret")
    return url


@contextmanager
def readers_of(marts: str, reached: str | None = None) -> Iterator[dict[str, str]]:
    """Tenant → URL of its login, made for the block; ``reached`` is how readers get there, where owners go another way."""
    logins = {tenant: gold.login_of(uuid.uuid4(), Scope(*tenant.split("/"))) for tenant in TENANTS}
    with psycopg.connect(marts, autocommit=True) as owner:
        for tenant, login in logins.items():
            gold.ensure_reader(owner, login, "pass word@/", tenant)
        yield {tenant: gold.reader_url(reached or marts, login, "pass word@/") for tenant, login in logins.items()}
        for login in logins.values():
            gold.drop_reader(owner, login)
