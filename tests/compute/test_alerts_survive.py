"""A thousand alerts while stewards, couriers and receivers are killed: none is lost, and none comes twice without a reason."""

from __future__ import annotations

import random
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ops.alerts import Alerts
from ops.database import EXECUTOR, connect
from ops.model import RunId
from ops.rpc import Rpc
from tests.compute.receiving import free_port, received, receiver
from tests.faults.world import World, end
from tests.operating import Operator

PIPELINES, ROUNDS, CUT = 50, 20, 0.1
ESCALATION = timedelta(seconds=20)
# A steward that is killed at each turn is late; what it owes is done once one lives.
LATEST = timedelta(seconds=60)
PENDING = "select count(*) from ops.notifications where state = 'pending'"


@dataclass
class Chaos:
    """What is running, and what was killed."""

    world: World
    home: Path
    ports: dict[str, int]
    kills: Counter[str] = field(default_factory=Counter)
    stewards: list[subprocess.Popen[bytes]] = field(default_factory=list)
    receivers: dict[str, tuple[ExitStack, subprocess.Popen[bytes]]] = field(default_factory=dict)

    def begin(self) -> None:
        self.stewards = [self.world.start_steward() for _ in range(2)]
        for kind in self.ports:
            self._receive(kind)

    def _receive(self, kind: str) -> None:
        stack = ExitStack()
        process = stack.enter_context(receiver(kind, self.ports[kind], self.home / kind, CUT))
        self.receivers[kind] = (stack, process)

    def strike(self) -> None:
        """Kills something and starts it again."""
        victim = random.choice(["steward", "steward", *self.ports])
        self.kills[victim] += 1
        if victim == "steward":
            end(self.stewards.pop(0))
            self.stewards.append(self.world.start_steward())
        else:
            self.receivers[victim][0].close()
            self._receive(victim)

    def stop(self) -> None:
        for stack, _ in self.receivers.values():
            stack.close()


@pytest.fixture
def chaos(world_of_faults: World, tmp_path: Path) -> Iterator[Chaos]:
    chaos = Chaos(world_of_faults, tmp_path, {kind: free_port() for kind in ("webhook", "mail")})
    secrets = world_of_faults.home / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "hook").write_text(f"json://127.0.0.1:{chaos.ports['webhook']}")
    (secrets / "mail").write_text(f"mailto://127.0.0.1:{chaos.ports['mail']}?from=a@example.org&to=b@example.org")
    try:
        yield chaos
    finally:
        chaos.stop()


@contextmanager
def operating(world: World) -> Iterator[tuple[Operator, Alerts]]:
    """Hands on the world's database, with two channels for whoever answers for pipelines and one rule."""
    with connect(world.url, autocommit=True) as owner, connect(world.url, EXECUTOR, autocommit=True) as executing:
        operator = Operator(world.url, Rpc(owner), Rpc(executing), uuid.uuid4())
        operator.executor.register_executor(operator.executor_id, "tester", slots=4, host="here", version="0")
        operator.owner.ensure_project("default", "demo")
        owner.execute("update ops.alert_rules set gather_seconds = 0, enabled = name = 'Run failed'")
        desk = Alerts(owner)
        desk.put_channel("hook", "secret://file/hook", owner="@data-owners")
        desk.put_channel("mail", "secret://file/mail", owner="@data-owners")
        minutes = ESCALATION / timedelta(minutes=1)
        desk.put_route(
            "all", {
                "match": {"area": "pipelines"}, "primary_owner": "@data-owners", "priority": 1,
                "escalation": [{"after_minutes": minutes, "channels": ["mail"]}],
            },
        )  # fmt: skip
        yield operator, desk


def fail_then_mend(operator: Operator, chaos: Chaos) -> set[tuple[str, RunId]]:
    """Every pipeline fails and is mended, again and again; the last time it stays broken. Returns what is to be told."""
    broken = set()
    for turn in range(2 * ROUNDS - 1):
        for number in range(PIPELINES):
            pipeline = f"line_{number}"
            operator.queue(None, phases=(), pipeline=pipeline)
            run = operator.claim()
            operator.executor.start_run(run.run_id, run.lease_token)
            if turn % 2:
                operator.executor.complete_run(run.run_id, run.lease_token, {})
            else:
                operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "planted")
                broken.add((pipeline, run.run_id))
        chaos.strike()
    return broken


def wait_until_quiet(world: World, chaos: Chaos, seconds: float = 150) -> None:
    """Until each run has its score, each open alert was taken a step further, and each message went out."""
    until = time.monotonic() + seconds
    unscored = "select count(*) from ops.runs r where not exists (select from ops.run_scores s where s.run_id = r.id)"
    waiting = "select count(*) from ops.alerts where escalates_at is not null and state = 'open'"
    strikes = time.monotonic() + 3
    while any(world.rows(query) != [(0,)] for query in (unscored, waiting, PENDING)):
        assert time.monotonic() < until, (world.rows(unscored), world.rows(waiting), world.log_tail())
        time.sleep(0.5)
        if sum(chaos.kills.values()) < 2 * ROUNDS + 6 and time.monotonic() > strikes:
            chaos.strike()
            strikes = time.monotonic() + 3


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_thousand_alerts_reach_people_whatever_is_killed(chaos: Chaos) -> None:
    world = chaos.world
    with operating(world) as (operator, desk):
        chaos.begin()
        broken = fail_then_mend(operator, chaos)
        wait_until_quiet(world, chaos)
        assert set(world.rows("select group_key, run_id from ops.alerts")) == broken
        assert world.rows("select count(*) from ops.alerts") == [(PIPELINES * ROUNDS,)]
        told = {str(each.notification_id): each for each in desk.messages(limit=100_000)}
    chaos.stop()
    assert Counter((each.kind, each.channel, each.state) for each in told.values() if each.kind == "opened") == {
        ("opened", channel, "delivered"): PIPELINES * ROUNDS for channel in ("hook", "mail")
    }
    arrived = [*received(chaos.home / "webhook"), *received(chaos.home / "mail")]
    assert {one for each in arrived for one in each.ids} == {
        one for one, each in told.items() if each.state == "delivered"
    }
    copies = Counter(each.batch for each in arrived)
    for batch in copies:
        assert len({(tuple(each.ids), each.text) for each in arrived if each.batch == batch}) == 1
    # A courier has one batch in hand: each kill can cut the answer of one, of a receiver that of each courier.
    repeats = copies.total() - len(copies)
    cuts = sum(not each.answered for each in arrived)
    kills = chaos.kills["steward"] + 2 * (chaos.kills["webhook"] + chaos.kills["mail"])
    seen = f"{len(told)} messages in {len(copies)} batches, {dict(chaos.kills)} killed, {repeats} repeats, {cuts} cuts"
    assert cuts <= repeats <= cuts + kills, seen
    check_escalations(world)


def check_escalations(world: World) -> None:
    """What is still broken was taken a step further, in time and once; what was mended before was not."""
    found = world.rows(
        "select a.group_key, a.opened_at, a.resolved_at, n.created_at from ops.alerts a "
        "join ops.notifications n on n.alert_id = a.id where n.kind = 'escalated'"
    )
    still = {key for (key,) in world.rows("select group_key from ops.alerts where state = 'open'")}
    assert len(still) == PIPELINES
    assert Counter(key for key, _, resolved, _ in found if resolved is None) == dict.fromkeys(still, 1)
    for _, opened, resolved, told in found:
        assert ESCALATION <= told - opened < ESCALATION + LATEST  # type: ignore[operator]
        assert resolved is None or resolved >= told  # type: ignore[operator]
