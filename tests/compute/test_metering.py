"""What a phase used is measured from outside and belongs to that phase; what uses a cap up is stopped by force."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from compute.metering import SAMPLE_SECONDS, Meter, Usage
from ops.database import connect
from ops.limits import Limits, UsageRow
from ops.model import RunId
from tests.compute.conftest import CALM_LEASE_SECONDS
from tests.compute.specs import phase, pipeline
from tests.faults.world import World

MB = 1_000_000
# Carries out one line of Python after another, and says when each is done.
SERVANT = "import sys\nfor line in sys.stdin:\n    exec(line)\n    print('done', flush=True)\n"
BURN = "import time; until = time.process_time() + 0.4\nwhile time.process_time() < until: pass"


@pytest.fixture
def servant() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVANT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    told(process, "pass")
    yield process
    process.kill()
    process.communicate()


def told(servant: subprocess.Popen[str], line: str) -> None:
    assert servant.stdin is not None
    assert servant.stdout is not None
    servant.stdin.write(f"{line}\n")
    servant.stdin.flush()
    assert servant.stdout.readline() == "done\n"


def of(servant: subprocess.Popen[str], line: str) -> Usage:
    meter = Meter(servant.pid)
    told(servant, line)
    return meter.read()


def test_each_figure_is_of_the_work_since_the_meter_began(servant: subprocess.Popen[str], tmp_path: Path) -> None:
    told(servant, f"import subprocess, sys; exec({BURN!r})")
    assert of(servant, "pass").cpu_seconds < 0.2
    burnt = of(servant, f"exec({BURN!r})")
    assert 0.4 <= burnt.cpu_seconds < 1.5
    assert burnt.seconds >= burnt.cpu_seconds
    of_child = of(servant, f"subprocess.run([sys.executable, '-c', {BURN!r}], check=True)")
    assert 0.35 <= of_child.cpu_seconds < 3
    moved = of(servant, f"open({str(tmp_path / 'file')!r}, 'wb').write(b'x' * {5 * MB})")
    assert 5 * MB <= moved.written_bytes < 6 * MB
    moved = of(servant, f"open({str(tmp_path / 'file')!r}, 'rb').read()")
    assert 5 * MB <= moved.read_bytes < 6 * MB


def test_a_peak_is_the_phases_and_not_the_life_of_its_process(servant: subprocess.Popen[str]) -> None:
    large = of(servant, f"held = bytearray(b'x') * {150 * MB}; del held")
    assert large.peak_memory_bytes > 150 * MB
    assert of(servant, "pass").peak_memory_bytes < large.peak_memory_bytes - 100 * MB


def test_a_child_that_lives_is_counted_before_anybody_waited_for_it(servant: subprocess.Popen[str]) -> None:
    meter = Meter(servant.pid)
    told(servant, "import subprocess, sys; held = subprocess.Popen([sys.executable, '-c', 'while True: pass'])")
    until = time.monotonic() + 60
    while meter.read().cpu_seconds < 0.5:
        assert time.monotonic() < until, "a child's work was not seen"
        time.sleep(0.05)
    before = meter.read()
    told(servant, "held.kill(); held.wait()")
    assert meter.read(children=False).cpu_seconds >= before.cpu_seconds - 0.02
    servant.kill()
    servant.wait()
    # Of who is gone, what was last seen.
    assert meter.read().cpu_seconds >= before.cpu_seconds - 0.02


def used(world: World, run: RunId) -> dict[str, UsageRow]:
    with connect(world.url) as connection:
        return {row.phase: row for row in Limits(connection).usage(run)}


def test_every_try_is_measured_and_costs_what_the_prices_say(world: World) -> None:
    with connect(world.url, autocommit=True) as connection:
        [(org,)] = connection.execute(
            "select o.slug from ops.orgs o join ops.projects p on p.org_id = o.id where p.id = %s", [world.project_id]
        ).fetchall()
        Limits(connection).set_price(org, "cpu_second", Decimal("0.25"), "EUR")
    world.start_executor()
    by_sql = {
        "name": "by_sql",
        "kind": "query",
        "inputs": {"seed": "bronze.seed"},
        "sql": "select * from seed",
        "depends_on": ["large"],
    }
    run = world.submit(
        pipeline(phase("large", "grab"), by_sql, phase("small", "sleep", depends_on=["by_sql"])), {"seconds": 0.5}
    )
    world.wait_until_finished(1)
    rows = used(world, run)
    assert world.rows("select status from ops.runs where id = %s", run) == [("succeeded",)]
    assert rows["large"].cpu_seconds >= Decimal("0.45")
    assert rows["large"].peak_memory_bytes > 200 * MB
    # The same process carried it out, and its peak was forgotten.
    assert rows["small"].peak_memory_bytes < rows["large"].peak_memory_bytes - 100 * MB
    # Its SQL is another process's work, which begins with starting an interpreter and an engine.
    assert rows["by_sql"].cpu_seconds > Decimal("0.2")
    for row in rows.values():
        assert (row.cost, row.currency) == (row.cpu_seconds * Decimal("0.25"), "EUR")
        assert row.read_bytes > 0
        assert row.written_bytes > 0
    said = "select name, (metrics ->> 'cpu_seconds')::numeric from ops.run_phases where run_id = %s"
    assert set(world.rows(said, run)) == {(name, row.cpu_seconds) for name, row in rows.items()}


def test_a_phase_that_uses_a_cap_up_is_stopped_by_force(world: World) -> None:
    """It keeps the interpreter's lock: nothing in its own process could have measured or stopped it."""
    with connect(world.url, autocommit=True) as connection:
        connection.execute(
            "insert into ops.caps (key, org_id, project_id, unit, amount, period) "
            "select 'cpu', org_id, id, 'cpu_seconds', 2, 'day' from ops.projects where id = %s",
            [world.project_id],
        )
    executor = world.start_executor()
    run = world.submit(pipeline(phase("endless", "cling", retries={"max": 3})), {})
    world.wait_until_finished(1, seconds=120)
    [(status, code, message, attempt)] = world.rows(
        "select status, error_code, error_message, attempt from ops.runs where id = %s", run
    )
    assert (status, code, attempt) == ("failed", "CAP_EXCEEDED", 1), message
    assert str(message).startswith("cap cpu is used up: ")
    row = used(world, run)["endless"]
    # One heartbeat's worth, and the last sample before it: a single thread uses a second a second.
    assert 2 <= row.cpu_seconds <= 2 + CALM_LEASE_SECONDS / 3 + SAMPLE_SECONDS + 1, row
    [(charged,)] = world.rows("select sum(amount) from ops.cap_usage")
    assert charged == row.cpu_seconds
    for child in psutil.Process(executor.pid).children(recursive=True):
        assert child.cpu_percent(interval=0.3) < 50, "what was stopped still works"
    # What begins now is stopped before it uses anything.
    again = world.submit(pipeline(phase("short", "sleep")), {"seconds": 0})
    world.wait_until_finished(2)
    assert world.rows("select error_code from ops.runs where id = %s", again) == [("CAP_EXCEEDED",)]
    assert used(world, again) == {}
