"""The teller: whom it tells, what it does where it is not heard, and that it costs nothing where nobody is to be told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from compute.lineage.teller import Teller
from ops.database import connect
from ops.errors import SettingsInvalid
from ops.lineage import LineageTelling
from ops.model import RunId
from ops.secrets import SecretStore
from ops.settings import Settings
from tests.compute.openlineage_spec import Json, faults
from tests.faults.world import ROOT
from tests.operating import Operator, everything_before_has_ended

KEY = "a-key-that-nobody-may-read"


@dataclass
class Listener:
    """``answer``: status for an event, or None to hang up; all are kept with whether they were taken."""

    url: str
    answer: Callable[[Json], int | None] = lambda _: 201
    keys: set[str | None] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    heard: list[tuple[Json, bool]] = field(default_factory=list)

    def taken(self, run: RunId) -> list[str]:
        """The events of a run's own job, as taken."""
        return [each["eventType"] for each, taken in self.heard if taken and each["run"]["runId"] == str(run)]


@contextmanager
def a_listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.keys.add(self.headers["Authorization"])
            made.paths.add(self.path)
            status = made.answer(event)
            made.heard.append((event, status is not None and status < 300))
            if status is None:
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Listener(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with a_listener() as made:
        yield made


@contextmanager
def telling(operator: Operator, home: Path, to: str, **more: str) -> Iterator[Teller]:
    """A teller at work; what has ended from now on is told."""
    settings = Settings(home=home, lake_url=str(home / "lake"), openlineage=to, **more)  # type: ignore[arg-type]
    with connect(operator.url, autocommit=True) as connection:
        everything_before_has_ended(connection)
        LineageTelling(connection).enroll()
    teller = Teller(operator.url, settings, SecretStore(home))
    teller.start()
    try:
        yield teller
    finally:
        teller.stop()


def until(holds: Callable[[], bool], said: Callable[[], object] = str, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, said()
        time.sleep(0.05)


def ledger(operator: Operator) -> dict[RunId, tuple[bool, int, str | None]]:
    with connect(operator.url, autocommit=True) as connection:
        rows = connection.execute("select run_id, done, attempts, last_error from ops.lineage_sent").fetchall()
    return {RunId(run): (done, attempts, error) for run, done, attempts, error in rows}


def until_told(operator: Operator, *runs: RunId) -> None:
    until(lambda: all(ledger(operator).get(run, (False,))[0] for run in runs), lambda: ledger(operator))


def failed(operator: Operator, message: str) -> RunId:
    operator.queue(phases=(), max_attempts=1)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", message)
    return run.run_id


def test_a_receiver_is_told_with_its_key_and_every_event_is_valid(
    operator: Operator, tmp_path: Path, listener: Listener
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ol").write_text(KEY)
    before = operator.succeeded()
    with telling(operator, tmp_path, f"{listener.url}/below", openlineage_key="secret://file/ol"):
        run = operator.succeeded()
        until(lambda: listener.taken(run) == ["START", "COMPLETE"], lambda: ledger(operator))
        bad = failed(operator, f"the server said {KEY} and password=hunter22")
        until(lambda: listener.taken(bad) == ["START", "FAIL"], lambda: ledger(operator))
        until_told(operator, run, bad)
    assert (listener.keys, listener.paths) == ({f"Bearer {KEY}"}, {"/below/api/v1/lineage"})
    assert [fault for each, _ in listener.heard for fault in faults(each)] == []
    # Nothing secret, and nothing of what had ended before telling was switched on.
    said = json.dumps([each for each, _ in listener.heard])
    assert KEY not in said and "hunter22" not in said and "the server said *** and password=***" in said
    assert before not in ledger(operator) and str(before) not in said


def test_what_happens_while_the_receiver_is_down_is_told_in_order_afterwards(
    operator: Operator, tmp_path: Path, listener: Listener
) -> None:
    down = threading.Event()
    down.set()
    listener.answer = lambda _: 503 if down.is_set() else 201
    with telling(operator, tmp_path, listener.url):
        runs = [operator.succeeded() for _ in range(3)]
        until(lambda: len(listener.heard) >= 2, lambda: ledger(operator))
        assert [run for run in runs if listener.taken(run)] == []
        until(lambda: any(error and "503" in error for _, _, error in ledger(operator).values()))
        down.clear()
        until_told(operator, *runs)
    for run in runs:
        assert listener.taken(run) == ["START", "COMPLETE"]


def test_an_event_that_is_refused_holds_up_its_own_run_alone(
    operator: Operator, tmp_path: Path, listener: Listener
) -> None:
    disliked: set[str] = set()
    listener.answer = lambda event: 422 if event["run"]["runId"] in disliked else 201
    with telling(operator, tmp_path, listener.url):
        run, token = operator.running()
        until(lambda: listener.taken(run) == ["START"], lambda: ledger(operator))
        disliked.add(str(run))
        operator.complete(run, token)
        others = [operator.succeeded() for _ in range(2)]
        until(lambda: all(listener.taken(each) == ["START", "COMPLETE"] for each in others), lambda: ledger(operator))
        until(lambda: ledger(operator)[run][1] > 0, lambda: ledger(operator))
        assert not ledger(operator)[run][0] and "422" in str(ledger(operator)[run][2])
        disliked.clear()
        until_told(operator, run)
    # It goes on where it stood: what was taken before is not told again.
    assert listener.taken(run) == ["START", "COMPLETE"] and ledger(operator)[run] == (True, 0, None)


def test_a_receiver_that_hangs_up_is_told_again(operator: Operator, tmp_path: Path, listener: Listener) -> None:
    """It may have the event all the same: at least once, and the first time in order."""
    listener.answer = lambda _: None if len(listener.heard) % 3 == 1 else 201
    with telling(operator, tmp_path, listener.url):
        run = operator.succeeded()
        until_told(operator, run)
    assert listener.taken(run) == ["START", "COMPLETE"]
    assert any(not taken for _, taken in listener.heard)


def test_a_teller_that_died_with_its_last_word_on_its_lips_leaves_nothing_undone(
    operator: Operator, tmp_path: Path, listener: Listener
) -> None:
    with connect(operator.url, autocommit=True) as connection:
        books = LineageTelling(connection)
        books.enroll()
        run_id = failed(operator, "it broke")
        everything_before_has_ended(connection)
        books.enroll()
        # The receiver has its last event, and nobody has written down that there are no more.
        books.told(run_id, books.story(run_id).last_seq, done=False)
        assert [due.run_id for due in books.due()] == [run_id]
    with telling(operator, tmp_path, listener.url):
        until_told(operator, run_id)
    assert listener.heard == []


def test_two_tellers_tell_once(operator: Operator, tmp_path: Path, listener: Listener) -> None:
    with telling(operator, tmp_path, listener.url), telling(operator, tmp_path, listener.url):
        runs = [operator.succeeded() for _ in range(5)]
        until_told(operator, *runs)
    assert [listener.taken(run) for run in runs] == [["START", "COMPLETE"]] * 5


def test_a_file_gets_a_line_each(operator: Operator, tmp_path: Path) -> None:
    told = tmp_path / "events of lineage.ndjson"
    with telling(operator, tmp_path, told.as_uri()):
        run = operator.succeeded()
        until_told(operator, run)
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert [each["eventType"] for each in events if each["run"]["runId"] == str(run)] == ["START", "COMPLETE"]
    assert len(events) == 6 and [fault for each in events for fault in faults(each)] == []


def test_the_console_gets_a_line_each(operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with telling(operator, tmp_path, "console"):
        run = operator.succeeded()
        until_told(operator, run)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["eventType"] for each in events if each["run"]["runId"] == str(run)] == ["START", "COMPLETE"]


def test_the_client_may_be_set_up_by_its_own_configuration(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    (tmp_path / "openlineage.yml").write_text(f"transport: {{type: file, log_file_path: {told}, append: true}}\n")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(tmp_path / "openlineage.yml"))
    with telling(operator, tmp_path, "client"):
        run = operator.succeeded()
        until_told(operator, run)
    assert len(told.read_text().splitlines()) == 6


def test_a_client_that_is_switched_off_does_not_count_as_told(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with telling(operator, tmp_path, listener.url):
        run = operator.succeeded()
        until(lambda: "OPENLINEAGE_DISABLED" in str(ledger(operator).get(run, ("",) * 3)[2]), lambda: ledger(operator))
    assert not ledger(operator)[run][0] and listener.heard == []


def test_without_a_receiver_nothing_is_loaded_and_nothing_is_noted(operator: Operator, tmp_path: Path) -> None:
    code = "import sys, compute.steward; print([m for m in sys.modules if m.startswith(('openlineage', 'requests'))])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=100
    )
    assert "openlineage" not in said.stdout
    teller = Teller(operator.url, Settings(home=tmp_path), SecretStore(tmp_path))
    teller.start()
    operator.succeeded()
    teller.stop()
    assert ledger(operator) == {}


@pytest.mark.parametrize(
    "to",
    [
        "ftp://x",
        "http://",
        "http://me:word@host/",
        "file://elsewhere/x",
        "file:///",
        "Console",
        "https:/x",
        "http://x?y",
    ],
)
def test_who_is_told_is_refused_with_the_settings_name(monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    monkeypatch.setenv("CONTROLROOM_OPENLINEAGE", to)
    with pytest.raises(SettingsInvalid, match="CONTROLROOM_OPENLINEAGE: "):
        Settings.load()
