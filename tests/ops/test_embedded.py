"""One Postgres per home: whoever comes first starts it, anything may die, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest

from ops import embedded, embedded_host
from ops.embedded_host import is_running, processes_in
from ops.errors import SettingsInvalid, StackFailed

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
ENSURE = """
import sys, pathlib
from ops import embedded
cluster = embedded.ensure(pathlib.Path(sys.argv[1]), None, {"fsync": "off", "shared_buffers": "16MB"})
print(cluster.pid(), cluster.url("postgres"))
"""
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that an unprivileged server may enter; pytest's own tmp_path is closed to it when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="controlroom-home-"))
    folder.chmod(0o755)
    yield folder
    with contextlib.suppress(StackFailed):
        stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def stop(folder: Path) -> None:
    if (cluster := embedded.find(folder)) is not None:
        cluster.stop("immediate")


def start_in_process(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE, str(home)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_eight_racing_processes_start_one_server_that_outlives_them(home: Path) -> None:
    racers = [start_in_process(home) for _ in range(8)]
    answers = {racer.communicate(timeout=60)[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 8
    assert len(answers) == 1
    pid, url = answers.pop().split()
    assert one(url, "select 1") == 1
    cluster = embedded.find(home)
    assert cluster is not None
    assert cluster.pid() == int(pid)
    # Its own session: neither Ctrl-C nor a closed terminal of the starter reaches it.
    assert os.getsid(int(pid)) != os.getsid(0)


def test_after_kill_9_every_committed_row_is_back(home: Path) -> None:
    first = embedded.ensure(home, settings={"shared_buffers": "16MB"})
    with psycopg.connect(first.url(), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as id")
    pid = first.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert one(embedded.ensure(home).url(), "select count(*) from kept") == 1000
    embedded.ensure(home).stop()


def test_a_zombie_postmaster_does_not_block_the_next_start(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    cluster.stop("immediate")
    # What a crash leaves in a container without init: files that name a process which is dead and never reaped.
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    while is_running(zombie.pid):
        time.sleep(0.01)
    (cluster.data_dir / "postmaster.pid").write_text(f"{zombie.pid}\n{cluster.data_dir}\n")
    lock = cluster.socket_dir / f".s.PGSQL.{cluster.port}.lock"
    lock.write_text(f"{zombie.pid}\n{cluster.data_dir}\n")
    try:
        assert one(embedded.ensure(home, settings=QUICK).url(), "select 1") == 1
    finally:
        zombie.wait()


def test_stop_leaves_no_process_and_a_second_stop_is_harmless(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    assert processes_in(cluster.data_dir)
    cluster.stop()
    assert processes_in(cluster.data_dir) == []
    assert embedded.find(home) is None
    cluster.stop()


def test_a_taken_port_is_left_to_its_taker(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    cluster.stop()
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", cluster.port))
        taker.listen()
        moved = embedded.ensure(home, settings=QUICK)
        assert moved.port != cluster.port
        assert one(moved.url(tcp=True), "select 1") == 1


def test_it_listens_on_loopback_only_and_wants_a_password(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    assert one(cluster.url(), "show listen_addresses") == "127.0.0.1"
    for name in ("postgres.password", "postgres.login"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    for where in (f"host={cluster.socket_dir}", "host=127.0.0.1"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"{where} port={cluster.port} user=controlroom dbname=controlroom password=wrong")


def test_the_login_role_can_do_nothing_by_itself(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    assert one(cluster.login_url(), "select rolsuper or rolinherit from pg_roles where rolname = current_user") is False


def owners(pids: Iterable[int]) -> set[int]:
    """Of those that still run: a backend may end between the two looks."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            found.add(os.stat(f"/proc/{pid}").st_uid)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")
def test_root_drops_its_rights_even_from_a_home_that_is_closed_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    cluster = embedded.ensure(closed, settings=QUICK)
    try:
        assert one(cluster.url(), "select 1") == 1
        assert cluster.data_dir.stat().st_uid != 0
        assert owners(processes_in(cluster.data_dir)) == {cluster.data_dir.stat().st_uid}
    finally:
        cluster.stop("immediate")
        shutil.rmtree(cluster.data_dir.parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else; others run every test here as such")
def test_a_plain_user_runs_it_as_himself(home: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # Forked, not started anew: the interpreter itself may lie in a directory that only root can read.
    child = multiprocessing.get_context("fork").Process(target=_ensure_as, args=(nobody.pw_uid, nobody.pw_gid, home))
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    cluster = embedded.find(home)
    assert cluster is not None
    assert cluster.data_dir.stat().st_uid == nobody.pw_uid


def _ensure_as(uid: int, gid: int, home: Path) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    embedded.ensure(home, settings=QUICK)


def test_a_deep_home_still_gets_a_short_socket_path(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    cluster = embedded.ensure(deep, settings=QUICK)
    try:
        assert len(str(cluster.socket_dir / f".s.PGSQL.{cluster.port}")) < 100
        assert one(cluster.url(), "select 1") == 1
    finally:
        cluster.stop("immediate")
        shutil.rmtree(cluster.socket_dir)


def test_a_cut_off_initdb_leaves_nothing_that_looks_like_a_database(home: Path) -> None:
    cluster = embedded.ensure(home, settings=QUICK)
    cluster.stop("immediate")
    cluster.data_dir.rename(cluster.data_dir.with_name("data.partial"))
    assert one(embedded.ensure(home, settings=QUICK).url(), "select 1") == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"shared_buffers": "wrong"}, 'invalid value for parameter "shared_buffers"'), ({"nonsense": "1"}, "nonsense")],
)
def test_a_server_that_does_not_start_says_why_in_one_line(home: Path, settings: dict[str, str], said: str) -> None:
    with pytest.raises(StackFailed, match=said) as caught:
        embedded.ensure(home, settings=settings)
    assert "\n" not in str(caught.value)
    assert "server.log" in str(caught.value)


OTHERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.mark.skipif(not OTHERS, reason="no Postgres of the system is installed")
def test_any_bin_directory_will_do_but_not_another_majors_data(home: Path) -> None:
    cluster = embedded.ensure(home, pg_bin=OTHERS[0], settings=QUICK)
    assert one(cluster.url(), "select lower('ÄÉ')") == "äé"
    cluster.stop()
    with pytest.raises(StackFailed, match="use binaries of"):
        embedded.ensure(home, settings=QUICK)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide the binaries from the account that it drops to")
def test_binaries_that_the_server_cannot_read_are_copied_beside_the_data(home: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    shutil.copytree(embedded_host.binaries(None).parent, hidden / "pg", symlinks=True)
    hidden.chmod(0o700)
    cluster = embedded.ensure(home, pg_bin=hidden / "pg" / "bin", settings=QUICK)
    assert cluster.pg_bin.is_relative_to(home)
    assert one(cluster.url(), "select 1") == 1
    cluster.stop()
    assert embedded.ensure(home, pg_bin=hidden / "pg" / "bin", settings=QUICK).pg_bin == cluster.pg_bin


def test_wrong_binaries_are_refused_by_name(home: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"CONTROLROOM_PG_BIN .* lacks initdb, pg_ctl, postgres"):
        embedded.ensure(home, pg_bin=home)


def test_damaged_state_is_said_and_not_overwritten(home: Path) -> None:
    (home / "postgres.json").write_text(json.dumps({"port": 1}))
    with pytest.raises(StackFailed, match=r"postgres\.json is damaged"):
        embedded.ensure(home)
