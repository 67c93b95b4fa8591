"""What a phase asks of Superset is published when its run has ended, whatever dies or is gone meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from controlroom import bi
from controlroom.bi_follow import Follower
from ops.bi import Bi, BiObject, WaitingWish
from ops.checkup import Checkup
from ops.database import connect
from ops.model import RunId
from ops.reads import Reads
from ops.settings import Settings
from superset.publish import Report
from tests.superset.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@contextmanager
def following(follower: Follower) -> Iterator[None]:
    thread = threading.Thread(target=follower.work)
    thread.start()
    try:
        yield
    finally:
        follower.stop()
        thread.join(60.0)
        assert not thread.is_alive()


def waiting(world: World) -> list[WaitingWish]:
    with connect(world.ops, autocommit=True) as owner:
        return Bi(owner).waiting_wishes()


def until_granted(world: World, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while waiting(world) and time.monotonic() < end:
        time.sleep(0.2)
    assert waiting(world) == []


def certificate(world: World, org: str) -> BiObject:
    with connect(world.ops, autocommit=True) as owner:
        project = Reads(owner).project_id(org, "demo")
        return next(one for one in Bi(owner).objects(project, "dev") if one.kind == "dataset")


def followed(world: World) -> bool:
    with connect(world.ops, autocommit=True) as owner:
        return Checkup(owner).superset_followed()


def test_a_mart_that_asks_is_certified_for_its_run_when_the_server_is_there(published: World, acme: str) -> None:
    before = certificate(published, acme)
    published.release(acme, [100, 200, 301])
    assert waiting(published) == []
    run_id = published.release(acme, [100, 200, 302], asks=True)
    with following(Follower(published.settings("nobody", superset_url="http://127.0.0.1:1"))):
        end = time.monotonic() + 60
        while not waiting(published)[0].tries and time.monotonic() < end:
            time.sleep(0.1)
    [wish] = waiting(published)
    assert (wish.org, wish.project, wish.env, wish.run_id, wish.tries) == (acme, "demo", "dev", run_id, 1)
    assert "SOURCE_UNREACHABLE" in (wish.error or "")
    assert certificate(published, acme) == before
    with following(Follower(published.settings("nobody"))):
        until_granted(published)
        assert followed(published)
    assert certificate(published, acme).run_id == run_id
    assert not followed(published)
    # It changed nothing else: the next publish by hand has nothing to do.
    assert [one for one in bi.plan_gold(published.settings(acme)) if one.action != "keep"] == []


def test_what_is_asked_during_a_publish_is_published_too_by_whoever_follows_then(published: World, acme: str) -> None:
    """A run that ends while an older state is being published must not be taken for published."""
    served: list[str] = []
    later: list[RunId] = []

    def by(name: str) -> Follower:
        def publish(given: Settings) -> Report:
            served.append(name)
            report = bi.publish_gold(given, lambda _: None)
            if name == "first":
                later.append(published.release(acme, [100, 200, 305], asks=True))
                first.stop()
            return report

        return Follower(published.settings("nobody"), publish)

    first = by("first")
    with following(first):
        while not followed(published):
            time.sleep(0.1)
        with following(by("second")):
            published.release(acme, [100, 200, 304], asks=True)
            until_granted(published)
    assert served == ["first", "second"]
    assert [certificate(published, acme).run_id] == later
