"""The local stack: what ``up`` starts, ``down`` stops and ``status`` shows.

Postgres, a Ray head with a fleet of executors (or plain executor processes), the steward and the dashboard. Each is asked
whether it works by a real request; ``up`` leaves alone what does.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from compute import cluster
from controlroom import processes
from controlroom.first_sign_in import first_link
from controlroom.install import install
from controlroom.processes import PYTHON, Part
from ops import embedded
from ops.database import connect, database_url
from ops.embedded_host import free_port, port_is_free, processes_in
from ops.errors import ControlRoomError
from ops.reads import Reads
from ops.settings import Settings
from ops.views import ExecutorRow
from superset.server.launch import LOGIN_PAGE

Say = Callable[[str], None]
DRAIN_SECONDS = 60.0
START_SECONDS = 60.0


@dataclass(frozen=True)
class Wishes:
    """What ``up`` shall start. ``port`` is the dashboard's, ``metrics`` that of the metrics, which 0 leaves out."""

    ray: bool = True
    executors: int = 2
    port: int = 8501
    metrics: int = 0


@dataclass(frozen=True)
class PartStatus:
    part: str
    running: bool
    pid: int | None
    where: str


def start_stack(settings: Settings, wishes: Wishes, say: Say) -> str:
    """Starts what does not run; returns the dashboard's URL when everything answers.

    Raises:
        StackFailed: a part does not start; what was started stays for ``down``.
    """
    home = settings.home
    with locked(home):
        _clear_orphans(settings)
        # Ray's head takes longest and needs nothing of ours: it starts while Postgres does.
        head = _begin_head(settings) if wishes.ray and not os.environ.get("RAY_ADDRESS") else None
        url = database_url(settings)
        say("postgres answers")
        install(settings, url)
        say("schema is up to date")
        steward = _begin(settings, "steward", [PYTHON, "-m", "compute.steward"], "")
        dashboard = _begin_dashboard(settings, wishes.port)
        metrics = _begin_metrics(settings, wishes.metrics)
        _start_executors(settings, wishes, url, head)
        say(f"{wishes.executors} executors work{' on Ray' if wishes.ray else ''}")
        processes.wait_until_ready(home, steward, lambda: _has_session(url, "steward"), START_SECONDS)
        say("steward works")
        if metrics is not None:
            processes.wait_until_ready(home, metrics, lambda: _answers_tcp(metrics.where), START_SECONDS)
            say(f"metrics: http://{metrics.where}/metrics")
        if dashboard is None:
            return "no dashboard"
        processes.wait_until_ready(
            home, dashboard, lambda: answers_http(f"{dashboard.where}/_stcore/health"), START_SECONDS
        )
        if settings.sign_in == "accounts" and (link := first_link(settings, url)) is not None:
            say(f"first sign-in, good once and for a day: {link}")
        return settings.public_url or dashboard.where


def stop_stack(settings: Settings, say: Say) -> None:
    """Stops everything of this home, Postgres last; executors drain first. Harmless to repeat."""
    home = settings.home
    if not home.is_dir():
        say(f"nothing runs in {home}")
        return
    with locked(home):
        parts = processes.recorded(home)
        ours = _families(parts) | processes.marked(home)
        _stop(home, parts, "dashboard", 5.0)
        _stop(home, parts, "metrics", 5.0)
        # A publish that is under way may end; what it leaves undone the next one does.
        _stop(home, parts, "superset-follower", 20.0)
        _stop(home, parts, "superset", 10.0)
        _stop(home, parts, "fleet", DRAIN_SECONDS + 30)
        for name in [name for name in parts if name.startswith("executor-")]:
            _stop(home, parts, name, DRAIN_SECONDS)
        _stop(home, parts, "steward", 10.0)
        _stop(home, parts, "ray", 15.0)
        if settings.database_url is None and (server := embedded.find(home)) is not None:
            server.stop()
        # Workers of Ray give themselves a new title and lose the mark with it; those were noted while their parents lived.
        processes.end(ours | processes.marked(home), patience=3.0)
        shutil.rmtree(cluster.session_directory(home), ignore_errors=True)
    say("stopped")


def stack_status(settings: Settings) -> list[PartStatus]:
    """Each part of the stack, asked now. Starts nothing."""
    parts = processes.recorded(settings.home)
    server = embedded.find(settings.home) if settings.database_url is None else None
    url = settings.database_url or (server.url() if server else None)
    where = f"127.0.0.1:{server.port}" if server else "CONTROLROOM_DATABASE_URL" if url else ""
    rows = [PartStatus("postgres", url is not None and _answers_sql(url), server.pid() if server else None, where)]
    working = _working_executors(url, settings) if url and rows[0].running else []
    names = ", ".join(each.name for each in working)
    rows.append(PartStatus("executors", bool(working), None, names))
    for name in ("ray", "fleet", "metrics", "steward", "dashboard", "superset", "superset-follower"):
        part = parts.get(name)
        if part is not None or name in ("steward", "dashboard"):
            asked = {"dashboard": "/_stcore/health", "superset": LOGIN_PAGE}.get(name)
            alive = part is not None and part.alive and (asked is None or answers_http(part.where + asked))
            rows.append(PartStatus(name, alive, part.pid if part and alive else None, part.where if part else ""))
    return rows


def _families(parts: dict[str, Part]) -> set[processes.Identity]:
    return processes.family(part.pid for part in parts.values() if part.alive)


def _clear_orphans(settings: Settings) -> None:
    """Ends what a killed part left behind: a Ray head's daemons go on without it and nobody could reach them."""
    server = embedded.find(settings.home)
    kept = {each.pid for each in _families(processes.recorded(settings.home))}
    kept |= set(processes_in(server.data_dir)) if server else set()
    processes.end([each for each in processes.marked(settings.home) if each.pid not in kept], patience=3.0)


def _begin(settings: Settings, name: str, command: list[str], where: str) -> Part:
    """The running part of that name, or a new one."""
    known = processes.recorded(settings.home).get(name)
    if known is not None and known.alive:
        return known
    return processes.spawn(settings.home, name, command, _environment(settings), where)


def _begin_head(settings: Settings) -> Part:
    port = free_port()
    while not port_is_free(port + 1):
        port = free_port()
    cpus = max(2, os.cpu_count() or 2)
    return _begin(settings, "ray", cluster.head_command(settings.home, port, cpus), f"127.0.0.1:{port}")


def _begin_dashboard(settings: Settings, wished: int) -> Part | None:
    if importlib.util.find_spec("dashboard.__main__") is None:
        return None
    port = wished if wished and port_is_free(wished) else free_port()
    command = [PYTHON, "-m", "dashboard", "--port", str(port), "--host", "127.0.0.1"]
    return _begin(settings, "dashboard", command, f"http://127.0.0.1:{port}")


def _begin_metrics(settings: Settings, port: int) -> Part | None:
    if port == 0:
        return None
    return _begin(
        settings, "metrics", [PYTHON, "-m", "controlroom", "metrics", "--port", str(port)], f"127.0.0.1:{port}"
    )


def _start_executors(settings: Settings, wishes: Wishes, url: str, head: Part | None) -> None:
    home = settings.home
    if not wishes.ray:
        command = [PYTHON, "-m", "controlroom", "executor"]
        begun = [_begin(settings, f"executor-{number}", command, "") for number in range(wishes.executors)]
        for part in begun:
            name = f"{socket.gethostname()}-{part.pid}"
            processes.wait_until_ready(home, part, lambda name=name: name in _names(url, settings), START_SECONDS)  # type: ignore[misc]
        return
    if head is not None:
        processes.wait_until_ready(home, head, lambda: _answers_tcp(head.where), START_SECONDS)
    # What was seen before this head began was another head's.
    since = None if head is None else _started_at(head)
    wanted = {f"executor-{number}" for number in range(wishes.executors)}
    address = head.where if head else os.environ["RAY_ADDRESS"]
    command = [PYTHON, "-m", "compute.fleet", "start", "--stay", "--address", address, "--size", str(wishes.executors)]
    known = processes.recorded(home).get("fleet")
    fleet = _begin(settings, "fleet", command, address)
    if known is not None and known.pid == fleet.pid and not wanted <= _names(url, settings, since):
        # An executor that was drained is not started by anybody else.
        os.kill(fleet.pid, signal.SIGUSR1)
    processes.wait_until_ready(home, fleet, lambda: wanted <= _names(url, settings, since), START_SECONDS)


def _environment(settings: Settings) -> dict[str, str]:
    return {**cluster.environment(settings.home), "CONTROLROOM_HOME": str(settings.home)}


def _stop(home: Path, parts: dict[str, Part], name: str, patience: float) -> None:
    if (part := parts.get(name)) is not None:
        processes.stop(home, part, patience)


def _working_executors(url: str, settings: Settings, since: datetime | None = None) -> list[ExecutorRow]:
    """Executors that renewed their leases lately (and after ``since``)."""
    fresh = datetime.now(UTC) - timedelta(seconds=settings.lease_seconds)
    with contextlib.suppress(ControlRoomError), connect(url, autocommit=True) as connection:
        seen = Reads(connection).executors(max(fresh, since or fresh))
        return [each for each in seen if each.state == "active"]
    return []


def _names(url: str, settings: Settings, since: datetime | None = None) -> set[str]:
    return {each.name for each in _working_executors(url, settings, since)}


def _started_at(part: Part) -> datetime:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return datetime.now(UTC) - timedelta(seconds=uptime - part.began / os.sysconf("SC_CLK_TCK"))


def _has_session(url: str, name: str) -> bool:
    with connect(url, autocommit=True) as connection:
        query = "select exists (select from pg_stat_activity where application_name = %s)"
        row = connection.execute(query, [name]).fetchone()
    return bool(row and row[0])


def _answers_sql(url: str) -> bool:
    try:
        with connect(url, autocommit=True):
            return True
    except ControlRoomError:
        return False


def _answers_tcp(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def answers_http(url: str) -> bool:
    """Whether a page of ours on loopback is served."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback URL
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def locked(home: Path) -> Iterator[None]:
    """One ``up`` or ``down`` of a home at a time."""
    (home / "run").mkdir(parents=True, exist_ok=True)
    with open(home / "run" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
