"""What the stack starts it ends again: by pid and start time, children and orphans included, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlroom import processes
from controlroom.processes import Identity, Part
from ops.errors import StackFailed

# A child that outlives its parent, as the daemons of a killed Ray head do.
FAMILY = (
    "import subprocess, sys; subprocess.Popen(['sleep', '60']); print('ready', flush=True); import time; time.sleep(60)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)

Spawn = Callable[[str], Part]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    def started(program: str) -> Part:
        part = processes.spawn(tmp_path, "part", [sys.executable, "-c", program], os.environ, "here")
        log = processes.log_file(tmp_path, "part")
        processes.wait_until_ready(tmp_path, part, lambda: "ready" in log.read_text(), 20)
        return part

    yield started
    processes.end(processes.marked(tmp_path), 0.0)


def test_a_part_is_recorded_and_found_by_another_process(tmp_path: Path, spawn: Spawn) -> None:
    part = spawn(FAMILY)
    assert processes.recorded(tmp_path) == {"part": part}
    assert part.alive


def test_another_process_with_the_same_pid_is_not_the_part(spawn: Spawn) -> None:
    part = spawn(FAMILY)
    assert not replace(part, began=part.began - 1).alive
    assert not replace(part, boot="an earlier boot").alive


def test_a_stranger_with_a_reused_pid_is_never_ended(spawn: Spawn) -> None:
    part = spawn(FAMILY)
    processes.end([Identity(part.pid, part.began - 1)], patience=0.2)
    assert part.alive


def test_one_that_ignores_sigterm_is_killed_when_patience_ends(spawn: Spawn) -> None:
    part = spawn(STUBBORN)
    processes.end([Identity(part.pid, part.began)], patience=0.3)
    assert not part.alive


def test_children_of_a_killed_part_are_found_by_their_mark(tmp_path: Path, spawn: Spawn) -> None:
    part = spawn(FAMILY)
    orphans = processes.family([part.pid]) - {Identity(part.pid, part.began)}
    assert len(orphans) == 1
    os.kill(part.pid, signal.SIGKILL)
    os.waitpid(part.pid, 0)
    assert processes.marked(tmp_path) == orphans
    processes.end(processes.marked(tmp_path), patience=5)
    assert processes.marked(tmp_path) == set()


def test_the_mark_of_another_home_is_left_alone(tmp_path: Path, spawn: Spawn) -> None:
    spawn(FAMILY)
    assert processes.marked(tmp_path.parent) == set()
    assert processes.marked(Path(f"{tmp_path}x")) == set()


def test_a_part_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "import sys; sys.exit('the port is taken')"]
    part = processes.spawn(tmp_path, "dashboard", program, os.environ, "")
    began = time.monotonic()
    with pytest.raises(StackFailed, match=r"dashboard ended: the port is taken; see .*dashboard\.log"):
        processes.wait_until_ready(tmp_path, part, lambda: False, 30)
    assert time.monotonic() - began < 20


def test_a_part_survives_its_starter_and_its_terminal(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from controlroom import processes; "
        f"processes.spawn(Path({str(tmp_path)!r}), 'part', ['sleep', '60'], os.environ, '')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
    part = processes.recorded(tmp_path)["part"]
    try:
        assert part.alive
        assert os.getsid(part.pid) == part.pid
    finally:
        processes.end([Identity(part.pid, part.began)], 1.0)
