"""Thirty days of two hundred schedules in five time zones whose clocks change, with stewards that die at random.

The clock is the test's. What fired is compared, tick by tick, with a reference that looks at every minute
(:mod:`tests.compute.naive_clock`) and applies the policies in the plainest way.
"""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from ops.schedules import Decision, Schedules
from tests.compute.clockwork import Clockwork
from tests.compute.naive_clock import naive_ticks

DAYS = timedelta(days=30)
# In these thirty days the first goes to summer time (8 March) as does the second (29 March), the next two leave it (5 April),
# one of them by half an hour, one at midnight.
SPRING = datetime(2026, 3, 7, tzinfo=UTC)
# In these the two of the south go to it: 6 September at midnight, 4 October by half an hour.
AUTUMN = datetime(2026, 9, 5, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Manila")
GRACE = timedelta(minutes=40)


@dataclass(frozen=True)
class Wanted:
    """A schedule of the simulation."""

    id: UUID
    cron: str
    zone: str
    misfire: str
    limit: int
    jitter: int


@dataclass
class Simulation:
    """Stewards over one database; ``judged`` are the moments for which a decision was committed."""

    url: str
    chance: random.Random
    judged: list[datetime] = field(default_factory=list)
    story: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.stewards = [psycopg.connect(self.url, autocommit=True) for _ in range(2)]
        self.late: list[Decision] = []

    def __enter__(self) -> Simulation:
        return self

    def __exit__(self, *_: object) -> None:
        for steward in self.stewards:
            steward.close()

    def clockwork(self, which: int) -> Clockwork:
        return Clockwork(self.stewards[which], UUID(int=0))

    def replace(self, which: int) -> None:
        """That one is dead: whatever it had not committed is gone with its connection."""
        self.stewards[which].close()
        self.stewards[which] = psycopg.connect(self.url, autocommit=True)

    def round(self, now: datetime) -> None:
        acts = (self.calm, self.dies_before, self.dies_within, self.dies_after, self.race, self.late_one)
        [act] = self.chance.choices(acts, weights=(40, 8, 14, 8, 15, 15))
        decisions = self.clockwork(0).decisions(now)
        if decisions:
            self.story[act.__name__] += 1
            act(now, decisions)

    def calm(self, now: datetime, decisions: list[Decision]) -> None:
        Schedules(self.stewards[0]).decide_clocks(decisions)
        self.judged.append(now)

    def dies_before(self, _: datetime, decisions: list[Decision]) -> None:
        self.replace(0)

    def dies_within(self, _: datetime, decisions: list[Decision]) -> None:
        self.stewards[0].execute("begin")
        Schedules(self.stewards[0]).decide_clocks(decisions)
        self.replace(0)

    def dies_after(self, now: datetime, decisions: list[Decision]) -> None:
        """Committed, but the steward did not live to hear it; its follower brings the same decisions again."""
        self.calm(now, decisions)
        self.replace(0)
        assert Schedules(self.stewards[0]).decide_clocks(decisions) == 0

    def race(self, now: datetime, decisions: list[Decision]) -> None:
        """Two at once: the second waits for the first, which commits or dies."""
        self.stewards[0].execute("begin")
        Schedules(self.stewards[0]).decide_clocks(decisions)
        second = threading.Thread(target=lambda: Schedules(self.stewards[1]).decide_clocks(decisions))
        second.start()
        if self.chance.random() < 0.5:
            self.stewards[0].execute("commit")
        else:
            self.replace(0)
        second.join()
        self.judged.append(now)

    def late_one(self, now: datetime, decisions: list[Decision]) -> None:
        """One that was stopped before it decided comes back later, when another has decided, or has not."""
        was, self.late = self.late, decisions
        if self.chance.random() < 0.5:
            self.calm(now, decisions)
            Schedules(self.stewards[1]).decide_clocks(was)
        elif was and not [moment for moment in self.judged if moment >= was[0].asked_at]:
            Schedules(self.stewards[1]).decide_clocks(was)
            self.judged.append(was[0].asked_at)


def crons(chance: random.Random) -> Iterator[str]:
    """From once a month to every hour, many of them in the hours in which clocks change."""
    while True:
        minute, hour = chance.randrange(60), chance.randrange(24)
        yield chance.choice(
            (
                f"{minute} {hour} * * *",
                f"{minute} {chance.randrange(4)} * * *",
                f"{minute} 0,2 * * *",
                f"0,30 {chance.randrange(1, 3)} * * *",
                f"*/20 {chance.randrange(3)} * * *",
                f"{minute} */8 * * *",
                f"{minute} {hour} * * 1-5",
                f"{minute} 1-3 * * 0,6",
                f"{minute} {hour} */3 * *",
                f"{minute} {hour} 1,15 * 1",
                f"15-45/15 {chance.randrange(4)} 5,8,29 3,4,9,10 *",
            )
        )


def make(clockwork: Clockwork, chance: random.Random, start: datetime, schedules: int) -> list[Wanted]:
    expressions = crons(chance)
    made = []
    for number in range(schedules):
        cron = f"{chance.randrange(60)} * * * *" if number < len(ZONES) else next(expressions)
        zone, misfire = ZONES[number % len(ZONES)], chance.choice(("skip", "run_once", "run_all"))
        limit, jitter = chance.choice((1, 3, 100)), chance.choice((0, 0, 300, 1800))
        schedule_id = clockwork.put(
            f"s{number}", start, kind="cron", cron=cron, timezone=zone, misfire=misfire, catch_up_limit=limit,
            jitter_seconds=jitter, grace_seconds=GRACE.total_seconds(),
        )  # fmt: skip
        # Jitter hangs on the id: with those of the database no two simulations would be the same.
        known = UUID(int=chance.getrandbits(128))
        clockwork.connection.execute("update ops.schedules set id = %s where id = %s", [known, schedule_id])
        made.append(Wanted(known, cron, zone, misfire, limit, jitter))
    return made


def looks(chance: random.Random, start: datetime) -> Iterator[datetime]:
    """Every few minutes; now and then there is no steward for hours."""
    now = start
    while True:
        now += timedelta(minutes=chance.uniform(2, 14) * 60 if chance.random() < 0.03 else chance.uniform(5, 35))
        if now >= start + DAYS:
            return
        yield now


def delay(wanted: Wanted, tick: datetime) -> timedelta:
    """A tick's share of its schedule's jitter, as docs/schedules.md defines it."""
    first = hashlib.sha256(f"{wanted.id}@{int(tick.timestamp())}".encode()).digest()[:4]
    return timedelta(seconds=wanted.jitter * int.from_bytes(first) // 2**32)


def expected(wanted: Wanted, judged: list[datetime], start: datetime) -> tuple[set[datetime], int]:
    """What fires, and how many ticks are passed over."""
    ticks = naive_ticks(wanted.cron, wanted.zone, start, judged[-1])
    fired: set[datetime] = set()
    done = 0
    for now in judged:
        due = []
        while done < len(ticks) and ticks[done] + delay(wanted, ticks[done]) <= now:
            due.append(ticks[done])
            done += 1
        late = [tick for tick in due if now - tick - delay(wanted, tick) > GRACE]
        fired |= set(due) - set(late)
        if wanted.misfire == "run_all":
            fired |= set(late[-wanted.limit :])
        elif wanted.misfire == "run_once" and due and due[-1] in late:
            fired.add(due[-1])
    return fired, done - len(fired)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("seed", "start", "schedules"), [(20260307, SPRING, 200), (8, AUTUMN, 30)])
def test_thirty_days_of_schedules(
    database: str,
    connection: psycopg.Connection,
    seed: int,
    start: datetime,
    schedules: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance, began = random.Random(seed), time.monotonic()
    clockwork = Clockwork.of(connection)
    wanted = make(clockwork, chance, start, schedules)
    with Simulation(database, chance) as simulation:
        for now in looks(chance, start):
            simulation.round(now)
        simulation.calm(start + DAYS, simulation.clockwork(0).decisions(start + DAYS))
    took = time.monotonic() - began
    total = skipped = 0
    for each in wanted:
        fires, passed = expected(each, simulation.judged, start)
        rows = clockwork.ticks(each.id)
        fired = [row.tick for row in rows if row.outcome == "fired"]
        assert len(fired) == len(set(fired)), f"{each} fired twice"
        assert set(fired) == fires, f"{each}: lost {sorted(fires - set(fired))}, too many {sorted(set(fired) - fires)}"
        assert sum(row.ticks or 0 for row in rows if row.outcome == "skipped") == passed, each
        total, skipped = total + len(fired), skipped + passed
    runs = connection.execute("select count(*), count(distinct idempotency_key) from ops.runs").fetchall()
    assert runs == [(total, total)]
    assert min(simulation.story.values()) > 50, simulation.story
    with capsys.disabled():
        sys.stdout.write(
            f"\n{total} firings, {skipped} passed over, in {took:.0f} s; rounds: {dict(simulation.story)}\n"
        )
