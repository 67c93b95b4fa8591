"""Where pages read: one pool of connections that may do nothing until a person's role and claims are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from ops.artifacts import ArtifactStore
from ops.database import AUTHENTICATED, LOCAL_OPERATOR, Pool, acting_as, login_url
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


def claims() -> Mapping[str, object]:
    """Who asks. The page is bound to loopback and asks for no sign-in: it is this machine's operator."""
    return {"sub": LOCAL_OPERATOR}


def reads() -> Reads:
    """Reads as the person who asks: row-level security decides what there is."""
    return Reads(pool(), AUTHENTICATED, claims())


@contextmanager
def rpc() -> Iterator[Rpc]:
    """RPCs as the person who asks, in one transaction."""
    with pool().connection() as lent, acting_as(lent, AUTHENTICATED, claims()) as person:
        yield Rpc(person)
