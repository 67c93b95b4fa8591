"""Publishers killed with -9 in the middle of each step, two at once, ten times: readers see whole versions and nothing else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread
from time import monotonic, sleep

import polars as pl
import psycopg
import pytest

from tests.pipelines.handlers.conftest import Bench, bench
from tests.pipelines.handlers.publisher import Order, publish
from tests.pipelines.handlers.test_publish import ask, to_postgres

__all__ = ["bench"]

ROWS = 60_000
LOOK_SECONDS = 0.02
# Started once: what a publisher imports takes longer than a publish.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.pipelines.handlers.publisher", "pipelines.handlers.publish"])
# Step → how the database tells that a publisher is at it. At the swap one waits for a reader who holds the table.
STEPS = {
    "loading": "^copy .* from stdin",
    "indexing": "^create unique index",
    "analyzing": "^analyze",
    "comparing": r"^select count\(\*\), count\(",
    "swapping": "^lock table|detach partition",
    "putting back what stood there": "^create policy|attach partition",
    "swapped": "^commit",
}
AT = """
select pid from pg_stat_activity where application_name = %s and query ~* %s and (state = 'active' or query ilike 'commit')
"""


def version(number: int) -> pl.DataFrame:
    """Rows that tell which version they are of."""
    return pl.select(id=pl.int_range(ROWS + number), version=pl.lit(number))


class Publisher:
    """A process of one owner."""

    def __init__(self, bench: Bench, shared: bool) -> None:
        owner = bench.runs.claim()
        self.name, self._said = f"publisher {owner.token}", bench.home / f"said{owner.token}"
        dsn = psycopg.conninfo.make_conninfo(bench.url, application_name=self.name)
        target = to_postgres(bench, key=["id"], shared=shared, dsn=bench.secret(f"dsn{owner.token}", dsn))
        self.process = SERVER.Process(target=publish, args=[Order(bench.home, target, owner)])
        self.process.start()

    def kill_at(self, connection: psycopg.Connection, step: str) -> bool:
        """Kills it when it is at that step; False where it was through before anybody saw it there."""
        deadline = monotonic() + 60
        while self.process.is_alive():
            assert monotonic() < deadline, f"never came to {step}"
            if connection.execute(AT, [self.name, STEPS[step]]).fetchone():
                self.process.kill()
                self.process.join()
                return True
            sleep(0.0005)
        return False

    def outcome(self) -> str:
        self.process.join(90)
        assert self.process.exitcode == 0
        return self._said.read_text()


@contextmanager
def reading(bench: Bench) -> Iterator[list[str]]:
    """A reader in a loop; what it met that no reader should."""
    wrong: list[str] = []
    done = Event()

    def read() -> None:
        with psycopg.connect(bench.url, autocommit=True) as connection:
            while not done.wait(LOOK_SECONDS):
                try:
                    rows = connection.execute("select version, count(*) from marts.revenue group by 1").fetchall()
                    if len(rows) != 1 or rows[0][1] != ROWS + rows[0][0]:
                        wrong.append(f"rows of {rows}")
                except psycopg.Error as error:
                    wrong.append(str(error))

    thread = Thread(target=read, name="reader")
    thread.start()
    try:
        yield wrong
    finally:
        done.set()
        thread.join()


def stood(bench: Bench) -> list[tuple[object, ...]]:
    return ask(
        bench,
        "select relrowsecurity, (select count(*) from pg_policies where tablename = 'revenue'), "
        "has_table_privilege('public', oid, 'select') from pg_class where oid = 'marts.revenue'::regclass",
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("shared", [False, True], ids=["plain", "shared"])
def test_kills_in_each_step_leave_whole_versions_and_nothing_else(bench: Bench, shared: bool) -> None:
    bench.put("gold.revenue", version(0))
    assert Publisher(bench, shared).outcome() == "swapped"
    for change in (
        "grant select on marts.revenue to public",
        "alter table marts.revenue enable row level security",
        "create policy everybody on marts.revenue for select using (true)",
    ):
        ask(bench, change)
    killed: list[str] = []
    with reading(bench) as wrong, psycopg.connect(bench.url, autocommit=True) as watching:
        for number, step in enumerate((*STEPS, *STEPS), start=1):
            bench.put("gold.revenue", version(number))
            with held(bench) if step == "swapping" else nullcontext():
                victim, other = Publisher(bench, shared), Publisher(bench, shared)
                if victim.kill_at(watching, step):
                    killed.append(step)
            assert other.outcome() in ("swapped", "unchanged"), step
            assert ask(bench, "select distinct version from marts.revenue") == [(number,)], step
            assert stood(bench) == [(True, 1, True)], step
    assert wrong == []
    # Some steps are over sooner than anybody sees them.
    assert {"loading", "comparing", "swapping"} <= set(killed), f"killed at {killed}"
    assert len(killed) >= len(STEPS), f"killed at {killed}"
    # The next publish takes away what the dead left.
    bench.put("gold.revenue", version(99))
    assert Publisher(bench, shared).outcome() == "swapped"
    found = ask(bench, "select tablename from pg_tables where schemaname = 'marts'")
    # The table, of a shared one its partition too, and the one version that is kept.
    assert len(found) == (3 if shared else 2), found


@contextmanager
def held(bench: Bench) -> Iterator[None]:
    """A reader who has not let go of the table: whoever swaps waits for it."""
    with psycopg.connect(bench.url) as connection:
        connection.execute("select from marts.revenue limit 1")
        yield
