"""Where pages read: one pool of connections that may do nothing until a person's role and claims are taken.

Only what is the same for everybody is kept between calls. Who asks is found out for every single one: a session that was
ended, an account that was disabled or a membership that is gone counts from the next query on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import streamlit as st
from starlette.requests import Request

from dashboard.data.keys import key
from dashboard.sign_in.oidc import cookie_identity
from dashboard.sign_in.person import Person, Presented, recognise, session_cookie
from ops.access_reads import reach_of
from ops.accounts import Caller, Door
from ops.artifacts import ArtifactStore
from ops.database import AUTHENTICATED, Connection, Pool, acting_as, login_url, one_moment
from ops.reads import Reads
from ops.rpc import Rpc
from ops.settings import Settings


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings.load()


@lru_cache(maxsize=1)
def pool() -> Pool:
    """Raises DatabaseUnavailable where nobody answers; then the next call tries again."""
    return Pool(login_url(settings()), max_size=8, name="dashboard")


@lru_cache(maxsize=1)
def artifact_store() -> ArtifactStore:
    return ArtifactStore(settings().artifacts)


@lru_cache(maxsize=1)
def link_key() -> str:
    """What links to artifacts are signed with."""
    return key(settings().home, "artifact_links.key")


def https() -> bool:
    """Whether people reach the page by https, whatever stands in front of it."""
    return (settings().public_url or "").startswith("https://")


def door() -> Door:
    """What may be asked before it is known who asks."""
    return Door(pool())


def person() -> Person:
    """Who looks at the page that is being drawn.

    Raises:
        NotSignedIn: nobody, or not any more.
    """
    agent = st.context.headers.get("User-Agent") or ""
    presented = Presented(
        st.context.cookies.get(session_cookie(https())) or "",
        dict(st.user) if settings().sign_in == "oidc" else {},
        # Streamlit gives no address where it is loopback's.
        Caller(st.context.ip_address or "127.0.0.1", agent),
    )
    return recognise(settings(), door(), presented)


def person_of(request: Request) -> Person:
    """Who sent a request beside the page. Raises NotSignedIn like :func:`person`."""
    origin = settings().public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    presented = Presented(
        request.cookies.get(session_cookie(https()), ""),
        cookie_identity(request.cookies, origin) if settings().sign_in == "oidc" else {},
        caller_of(request),
    )
    return recognise(settings(), door(), presented)


def caller_of(request: Request) -> Caller:
    return Caller(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def reads(who: Person | None = None) -> Reads:
    """Reads as ``who`` (the person at the page): row-level security decides what there is."""
    who = who or person()
    return Reads(pool(), AUTHENTICATED, who.claims, who.headers)


@contextmanager
def asking() -> Iterator[Connection]:
    """A connection in a transaction as the person at the page."""
    who = person()
    with pool().connection() as lent, acting_as(lent, AUTHENTICATED, who.claims, who.headers) as connection:
        yield connection


def reach() -> str:
    """What the person at the page may see, as one word (:meth:`ops.access_reads.Access.my_reach`)."""
    who = person()
    with pool().connection() as lent:
        return reach_of(lent, AUTHENTICATED, who.claims, who.headers)


@contextmanager
def looking() -> Iterator[Connection]:
    """A connection that reads one moment, as the person at the page."""
    who = person()
    with pool().connection() as lent, one_moment(lent, AUTHENTICATED, who.claims, who.headers) as connection:
        yield connection


@contextmanager
def rpc() -> Iterator[Rpc]:
    """RPCs as the person at the page, in one transaction."""
    with asking() as connection:
        yield Rpc(connection)
