"""What phases say is kept with them, however they end, and can be searched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from compute import phase_log
from compute.native_output import KEEP_BYTES, new_file, taken
from compute.phase_log import PhaseLog, collected
from ops.model import RunId
from tests.compute.specs import phase, pipeline
from tests.faults.world import ROOT, World

SAID = {
    "printed to standard output": ("stdout", "info"),
    "half a line and its end": ("stderr", "warning"),
    "a structured line": ("log", "warning"),
    "by the standard library": ("stderr", "warning"),
    "by native code": ("native", "info"),
    "by a subprocess": ("native", "info"),
}


def _logs(world: World, run: RunId, *options: str) -> list[dict[str, object]]:
    answer = subprocess.run(
        [sys.executable, "-m", "controlroom", "run", "logs", str(run), "--json", *options],
        env={**os.environ, **world.environment}, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def _ran(world: World, how: str, **more: object) -> RunId:
    spec = pipeline(phase("one", "talk"), name="talking")
    run = world.submit(spec, {"name": how, "seconds": 60.0, "lines": 0, "tries": "", **more}, max_attempts=1)
    world.start_executor()
    return run


@pytest.mark.parametrize(("how", "status"), [("", "succeeded"), ("fail", "failed")])
def test_all_that_a_phase_says_is_kept(world: World, how: str, status: str) -> None:
    run = _ran(world, how)
    assert world.wait_until_finished(1) == {status: 1}
    lines = _logs(world, run)
    said = {str(each["message"]): (each["stream"], each["level"]) for each in lines}
    assert {text: said.get(text) for text in SAID} == SAID
    assert {each["phase"] for each in lines} == {"one"}
    [structured] = [each for each in lines if each["message"] == "a structured line"]
    assert structured["facts"] == {"rows": 3, "password": "***"}
    if how:
        assert [each["message"] for each in _logs(world, run, "--level", "error")] == ["phase failed"]
    found = _logs(world, run, "--grep", "native|sub.*ess", "--phase", "one")
    assert [each["message"] for each in found] == ["by native code", "by a subprocess"]
    assert _logs(world, run, "--phase", "another") == []
    kinds = world.rows("select name, kind, phase from ops.run_artifacts where run_id = %s", run)
    assert kinds == [("log.1.ndjson", "log", "one")]


def test_a_process_that_dies_leaves_what_it_said(world: World) -> None:
    run = _ran(world, "die")
    assert world.wait_until_finished(1) == {"failed": 1}
    said = [each["message"] for each in _logs(world, run)]
    assert "printed to standard output" in said
    # What native code wrote cannot be redacted any more; it is in the executor's own log only, as its last words.
    assert "by native code" not in said
    assert "by native code" in world.log_tail()


def test_a_canceled_phase_leaves_what_it_said(world: World) -> None:
    run = _ran(world, "sleep")
    world.wait_for_event(run, "PHASE_STARTED", "one")
    folder = f"phase-{run}-one-"
    while not any(each.name.startswith(folder) and each.name.endswith("log") for each in _temporary()):
        pass
    world.rows("select ops.cancel_run(%s, 'enough')", run)
    assert world.wait_until_finished(1) == {"canceled": 1}
    assert "printed to standard output" in [each["message"] for each in _logs(world, run)]
    assert not any(each.name.startswith(folder) for each in _temporary())


def _temporary() -> list[Path]:
    import tempfile

    return list(Path(tempfile.gettempdir()).iterdir())


def test_follow_shows_what_comes_while_the_run_goes_on(world: World) -> None:
    """The lines of a phase when it ends, the reports of the next while it works; both long before the run is over."""
    spec = pipeline(phase("one", "talk"), phase("two", "sleep", depends_on=["one"]), name="talking")
    run = world.submit(spec, {"name": "", "seconds": 600.0, "lines": 0, "tries": ""}, max_attempts=1)
    world.start_executor()
    with subprocess.Popen(
        [sys.executable, "-m", "controlroom", "run", "logs", str(run), "--json", "--follow"],
        env={**os.environ, **world.environment}, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        assert following.stdout is not None
        seen: set[tuple[object, object]] = set()
        while not {("one", "stdout"), ("one", "native"), ("two", "progress")} <= seen:
            line = json.loads(following.stdout.readline())
            seen.add((line["phase"], line["stream"]))
        assert world.rows("select status from ops.runs") == [("running",)]
        world.rows("select ops.cancel_run(%s, 'enough')", run)
        following.communicate(timeout=60)
    assert following.returncode == 0


def test_a_silent_phase_costs_no_artifact(world: World) -> None:
    run = world.submit(pipeline(phase("one", "sleep")), {"seconds": 0.0})
    world.start_executor()
    assert world.wait_until_finished(1) == {"succeeded": 1}
    assert world.rows("select name from ops.run_artifacts where run_id = %s and kind = 'log'", run) == []


def test_much_is_cut_in_the_middle_and_stays_whole_lines(tmp_path: Path) -> None:
    log = PhaseLog(tmp_path / "log")

    def talk(who: int) -> None:
        for number in range(4000):
            log.said("stdout", "info", f"{who} {number} {'x' * 100}")

    threads = [threading.Thread(target=talk, args=(who,)) for who in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    log.said("stdout", "info", "the last line " + "y" * 100_000)
    log.close()
    log.said("stdout", "info", "too late")
    data = collected(tmp_path / "log")
    assert data is not None
    assert len(data) <= phase_log.HEAD_BYTES + 2 * phase_log.TAIL_BYTES + 1000
    lines = [json.loads(line) for line in data.splitlines()]
    assert any("bytes of this log were left out here" in each["message"] for each in lines)
    assert lines[0]["message"].split()[1] == "0"
    assert lines[-1]["message"].startswith("the last line")
    assert lines[-1]["message"].endswith("characters more")


def test_what_native_code_wrote_is_taken_once_and_bounded() -> None:
    file = new_file()
    try:
        assert taken(file) == b""
        os.write(file, b"one\n")
        assert (taken(file), taken(file)) == (b"one\n", b"")
        os.write(file, b"a" * KEEP_BYTES)
        os.write(file, b"b" * KEEP_BYTES)
        data = taken(file)
        assert data.startswith(b"a")
        assert data.endswith(b"b")
        assert f"{KEEP_BYTES} bytes were left out here".encode() in data
        os.write(file, b"after\n")
        assert taken(file) == b"after\n"
    finally:
        os.close(file)
