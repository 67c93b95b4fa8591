"""Costs count what was spent by whom, also by processes that have ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psycopg
import pytest

from benchmarks import measure
from benchmarks.measure import Cost, Meter, own_peak_bytes, tree_seconds
from ops import embedded

BURN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
TICK = 0.05  # The kernel counts in hundredths of a second; a few of them are lost at each end.


def _postmaster(cluster: embedded.Cluster) -> int:
    return measure.postmaster_pid(cluster.data_dir)


def test_a_command_costs_what_it_burnt_though_it_has_ended(cluster: embedded.Cluster) -> None:
    cost, _ = measure.command([sys.executable, "-c", BURN], _postmaster(cluster))
    assert 0.3 - TICK <= cost.client <= 2
    assert cost.wall >= 0.3 - TICK


def test_a_grandchild_is_counted_too(cluster: embedded.Cluster) -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}], check=True)"
    cost, _ = measure.command([sys.executable, "-c", nested], _postmaster(cluster))
    assert cost.client >= 0.3 - TICK


def test_sleeping_costs_no_processor(cluster: embedded.Cluster) -> None:
    cost = measure.call(lambda: time.sleep(0.3), _postmaster(cluster))
    assert cost.wall >= 0.3
    assert cost.client <= TICK


def test_what_a_backend_burns_is_the_servers_also_after_it_has_gone(cluster: embedded.Cluster) -> None:
    meter = Meter(_postmaster(cluster))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("select count(*) from generate_series(1, 2000000)")
    # Between a backend's last breath and the postmaster's notice its time is nobody's.
    until = time.monotonic() + 5
    while meter.read().server < 0.1:
        assert time.monotonic() < until, f"the backend's time is lost: {meter.read()}"
        time.sleep(0.01)


def test_another_process_can_be_metered_by_its_pid(cluster: embedded.Cluster) -> None:
    command = [sys.executable, "-c", f"input()\n{BURN}\nprint('done', flush=True)\ninput()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        time.sleep(0.2)  # Its interpreter has started.
        meter = Meter(_postmaster(cluster), process.pid)
        exec(BURN)
        assert meter.read().client <= TICK, "what this process burns is not the other's"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        assert meter.read().client >= 0.3 - TICK
        process.communicate("\n")


def test_a_gone_process_has_spent_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert tree_seconds(process.pid) == 0.0


def test_the_peak_is_this_processes_own_not_its_parents(cluster: embedded.Cluster) -> None:
    held = bytearray(os.urandom(1) * 300_000_000)
    # Half a gigabyte of addresses that nothing ever touches is no memory.
    said = (
        "import mmap; from benchmarks.measure import own_peak_bytes; m = mmap.mmap(-1, 2**29); print(own_peak_bytes())"
    )
    _, output = measure.command([sys.executable, "-c", said], _postmaster(cluster))
    assert own_peak_bytes() >= len(held)
    assert int(output) < 150_000_000


def test_a_failed_command_says_what_it_wrote(cluster: embedded.Cluster) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with 3.*no such queue"):
        measure.command([sys.executable, "-c", "import sys; print('no such queue'); sys.exit(3)"], _postmaster(cluster))


def test_a_cost_survives_the_way_through_a_process() -> None:
    cost = Cost(1.5, 0.25, 0.5, 7)
    assert Cost.from_json(f"progress\n{cost.to_json()}\n") == cost
    assert cost.cpu == 0.75
