"""The first thing that a newcomer does: one command, three pipelines, a control room that answers, and a clean end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import psycopg
import pytest

from controlroom import processes
from ops import embedded, embedded_host

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """The command in a fresh home without a database; whatever happens, nothing stays behind."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONTROLROOM_", "RAY_"))}
    environment = {**clean, "CONTROLROOM_HOME": str(tmp_path / "home")}

    def run(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        # Into a file: a pipe that the stack had inherited would keep this waiting for ever.
        with open(tmp_path / "said", "w+") as said:
            answer = subprocess.run(
                [sys.executable, "-m", "controlroom", *arguments],
                stdout=said, stderr=subprocess.STDOUT, timeout=seconds, env=environment, check=False,
            )  # fmt: skip
            said.seek(0)
            return subprocess.CompletedProcess(answer.args, answer.returncode, said.read())

    yield run
    run("down", seconds=120)


def assert_told_from_beginning_to_end(home: Path) -> None:
    """Each phase's start, progress and finish are events of a whole chain; each artifact's bytes are its sha256."""
    server = embedded.find(home)
    assert server is not None
    with psycopg.connect(server.url()) as connection:
        told = connection.execute(
            """
            select p.run_id, p.name, array_agg(e.type order by e.seq)
            from ops.run_phases p join ops.run_events e on e.run_id = p.run_id and e.phase = p.name
            group by p.run_id, p.name
            """
        ).fetchall()
        assert len(told) == 3 + 54 + 27
        for _, name, types in told:
            assert (types[0], types[-1]) == ("PHASE_STARTED", "PHASE_SUCCEEDED"), (name, types)
            assert "PHASE_PROGRESS" in types, (name, types)
        chains = connection.execute("select v.ok from ops.runs r, ops.verify_event_chain(r.id) v").fetchall()
        assert chains == [(True,)] * 3
        artifacts = connection.execute("select uri, sha256, byte_size from ops.run_artifacts").fetchall()
    assert artifacts
    for uri, sha256, byte_size in artifacts:
        data = Path(unquote(urlparse(uri).path)).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (sha256, byte_size)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_runs_stays_starts_again_quickly_and_leaves_nothing_behind(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "home"
    demo = command("demo", "--scale", "0.01", "--port", "0", seconds=400)
    assert demo.returncode == 0, demo.stdout
    assert demo.stdout.count("RUN_SUCCEEDED") == 3
    assert "gold.revenue_by_month" in demo.stdout
    url = processes.recorded(home)["dashboard"].where
    assert url in demo.stdout
    with urllib.request.urlopen(url, timeout=10) as page:
        assert page.status == 200

    runs = json.loads(command("run", "list", "--json").stdout)
    assert sorted(run["pipeline"] for run in runs) == ["bronze_to_silver", "odoo_ingest_bronze", "silver_to_gold"]
    assert {run["status"] for run in runs} == {"succeeded"}
    assert all(re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unversioned", run["git_sha"]) for run in runs)
    for run in runs:
        verified = command("run", "verify", run["run_id"], seconds=120)
        assert verified.returncode == 0, verified.stdout
        assert verified.stdout.rstrip().endswith("identical")
    assert_told_from_beginning_to_end(home)

    began = time.monotonic()
    assert command("up").returncode == 0
    assert time.monotonic() - began < 10
    assert command("status").returncode == 0

    # An executor that was drained is brought back by who starts the stack again.
    drained = command("drain", "executor-0")
    assert (drained.returncode, drained.stdout.strip()) == (0, "executor-0 is asked to drain")
    assert command("up", seconds=120).returncode == 0
    assert set(re.findall(r"executor-\d", command("status").stdout)) == {"executor-0", "executor-1"}

    server = embedded.find(home)
    assert server is not None
    assert command("down", seconds=120).returncode == 0
    assert processes.marked(home) == set()
    assert embedded.find(home) is None
    assert embedded_host.processes_in(server.data_dir) == []
    assert command("status").returncode == 4
