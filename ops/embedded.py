"""The embedded Postgres: one server per home, started by whoever comes first and shared by every process.

``ensure(home)`` is all that callers need: it connects if the server runs, else takes the home's lock, repairs what a
crash left, and starts it. The server outlives its starter (own session, no pipe) and ends with ``Cluster.stop``.

What stands in a home::

    postgres.lock        flock: only its holder creates, starts or stops
    postgres.json        where the server's directory is, and its port
    postgres.password    of the owner role, mode 0600
    postgres.login       of controlroom_login, mode 0600
    postgres.token       of controlroom_token, mode 0600
    postgres/            the server's directory: data, socket, log; owned by the account that runs it

Where root keeps the home in a place that the unprivileged account cannot reach, the server's directory lies in
``/var/lib/controlroom`` instead; ``postgres.json`` says so.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from ops import embedded_host as host
from ops.errors import StackFailed

OWNER = "controlroom"
LOGIN = "controlroom_login"
HOLDER = "controlroom_token"
DATABASE = "controlroom"
START_SECONDS = 60.0
LOG_LIMIT_BYTES = 20_000_000

_STAMP = re.compile(r"^\d{4}-\d\d-\d\d .*?(?=(LOG|FATAL|HINT|DETAIL|ERROR|WARNING|PANIC):)")
_EVERYDAY = re.compile(r"starting PostgreSQL|listening on|database system is|redirecting log output")

TUNING: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "250",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    # Change data capture needs it and it cannot be switched on without a restart; without a slot it costs next to
    # nothing. A forgotten slot must not fill the disk, hence the cap.
    "wal_level": "logical",
    "max_slot_wal_keep_size": "4GB",
    # A forgotten transaction holds back vacuum and slows every claim. Holds set their own, much shorter limit.
    "idle_in_transaction_session_timeout": "10min",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Cluster:
    """A running server.

    Attributes:
        home: the home that it belongs to.
        data_dir: Postgres' own directory; readable by the account that runs the server only.
        socket_dir: where the socket is; only that account and root may enter.
        port: of the socket's name and of 127.0.0.1.
        pg_bin: the binaries that it was started with.
    """

    home: Path
    data_dir: Path
    socket_dir: Path
    port: int
    pg_bin: Path
    password: str = field(repr=False)
    login_password: str = field(repr=False)
    token_password: str = field(repr=False)

    def url(self, dbname: str = DATABASE, tcp: bool = False) -> str:
        """Connection URL of the owner role; by socket, or by 127.0.0.1 with ``tcp``."""
        return self._url(OWNER, self.password, dbname, tcp)

    def login_url(self, dbname: str = DATABASE, tcp: bool = False) -> str:
        """Connection URL of ``controlroom_login``, which may do nothing until it takes a role."""
        return self._url(LOGIN, self.login_password, dbname, tcp)

    def token_url(self, dbname: str = DATABASE, tcp: bool = False) -> str:
        """Connection URL of ``controlroom_token``, which is whoever the access token says that it presents."""
        return self._url(HOLDER, self.token_password, dbname, tcp)

    def _url(self, user: str, password: str, dbname: str, tcp: bool) -> str:
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        if tcp:
            return f"postgresql://{who}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"
        where = urlencode({"host": str(self.socket_dir), "port": self.port})
        return f"postgresql://{who}@/{quote(dbname, safe='')}?{where}"

    def pid(self) -> int | None:
        """The postmaster's pid, None where it does not run."""
        pid = _postmaster_pid(self.data_dir)
        return pid if pid is not None and host.is_running(pid) else None

    def stop(self, mode: str = "fast") -> None:
        """Stops the server and waits for it; nothing happens where it does not run.

        Args:
            mode: ``fast`` ends sessions and writes a checkpoint; ``immediate`` is a crash on purpose.

        Raises:
            StackFailed: it does not stop.
        """
        with _locked(self.home):
            runner = host.account(self.data_dir)
            if self.pid() is None:
                return
            command = [str(self.pg_bin / "pg_ctl"), "stop", "-w", "-t", "60", "-m", mode, "-D", str(self.data_dir)]
            answer = runner.run(command, timeout=70)
            if answer.returncode != 0 and self.pid() is not None:
                raise StackFailed(f"Postgres in {self.data_dir} does not stop: {answer.stdout.strip()}")
            host.wait_until_deserted(self.data_dir)


def ensure(home: Path, pg_bin: Path | None = None, settings: Mapping[str, str] | None = None) -> Cluster:
    """Gives the home's server, started if it does not run. Safe under racing callers and after ``kill -9``.

    Args:
        home: the project's home, created if missing.
        pg_bin: a Postgres ``bin`` directory; None takes the wheel's.
        settings: Postgres settings that win over ours; they count only for the caller that starts the server.

    Raises:
        StackFailed: the server cannot be started; the message ends with what Postgres said.
        SettingsInvalid: ``pg_bin`` is no Postgres.
    """
    home = home.absolute()
    if (running := find(home)) is not None:
        return running
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            return find(home) or _start(home.resolve(), host.binaries(pg_bin), {**TUNING, **(settings or {})})
    except OSError as error:
        raise StackFailed(
            f"the embedded Postgres cannot use {home}: {error}; choose another CONTROLROOM_HOME"
        ) from error


def find(home: Path) -> Cluster | None:
    """The home's server if it answers, else None. Starts nothing."""
    cluster = _recorded(home)
    return cluster if cluster is not None and _answers(cluster) else None


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Holds the home's lock; the kernel releases it when the holder dies, however it dies."""
    with open(home / "postgres.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recorded(home: Path) -> Cluster | None:
    """What the home's files say about its server, whether it runs or not."""
    try:
        state = json.loads((home / "postgres.json").read_text())
        return Cluster(
            home=home,
            data_dir=Path(state["server_dir"]) / "data",
            socket_dir=Path(state["socket_dir"]),
            port=int(state["port"]),
            pg_bin=Path(state["pg_bin"]),
            password=(home / "postgres.password").read_text(),
            login_password=(home / "postgres.login").read_text(),
            token_password=(home / "postgres.token").read_text(),
        )
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise StackFailed(
            f"{error.filename} belongs to another user; run as that user or choose another home"
        ) from error
    except (KeyError, ValueError) as error:
        raise StackFailed(f"{home / 'postgres.json'} is damaged ({error}); restore it or remove the home") from error


def _answers(cluster: Cluster) -> bool:
    """Readiness by a real connection: a pid file says nothing after a crash."""
    try:
        with psycopg.connect(cluster.url("postgres"), connect_timeout=5, autocommit=True):
            return True
    except psycopg.OperationalError as error:
        return "too many clients" in str(error)


def _start(home: Path, pg_bin: Path, settings: Mapping[str, str]) -> Cluster:
    """Creates what is missing, repairs what a crash left, starts the server. The caller holds the lock."""
    previous = _recorded(home)
    server_dir = previous.data_dir.parent if previous else home / "postgres"
    runner = host.account(server_dir)
    if not previous:
        server_dir = _place(home, runner)
    pg_bin = host.readable_binaries(pg_bin, runner, beside=server_dir)
    data_dir = server_dir / "data"
    for name in ("postgres.password", "postgres.login", "postgres.token"):
        _secret(home / name)
    _initialise(home, server_dir, pg_bin, runner, settings)
    socket_dir = host.socket_directory(server_dir, runner)
    if previous and _wait_while_alive(previous):
        return previous
    _clear_crash(data_dir, socket_dir)
    port = previous.port if previous else host.free_port()
    for last in (False, False, True):
        if not host.port_is_free(port):
            port = host.free_port()
        _record(home, server_dir, socket_dir, port, pg_bin)
        refusal = _launch(
            data_dir, pg_bin, runner, {**settings, "port": str(port), "unix_socket_directories": str(socket_dir)}
        )
        if refusal is None:
            break
        if last or not ("could not bind" in refusal or "could not create any TCP" in refusal):
            raise StackFailed(
                f"Postgres in {data_dir} does not start: {refusal}; its log is {server_dir / 'server.log'}"
            )
        port = host.free_port()
    cluster = _recorded(home)
    assert cluster is not None
    _prepare(cluster)
    return cluster


def _place(home: Path, runner: host.Account) -> Path:
    """The server's directory of a new home: inside it where the runner can go there."""
    if runner.can_enter(home):
        return host.private_directory(home / "postgres", runner)
    shelter = Path("/var/lib/controlroom")
    shelter.mkdir(mode=0o755, parents=True, exist_ok=True)
    # A random name: a home that was removed and made again must not meet the old data under a new password.
    return host.private_directory(shelter / f"{home.name.strip('.')}-{secrets.token_hex(4)}", runner)


def _secret(path: Path) -> None:
    """Writes a new password with mode 0600 unless there is one."""
    if path.exists():
        return
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    partial.rename(path)


def _record(home: Path, server_dir: Path, socket_dir: Path, port: int, pg_bin: Path) -> None:
    state = {"server_dir": str(server_dir), "socket_dir": str(socket_dir), "port": port, "pg_bin": str(pg_bin)}
    partial = home / "postgres.json.partial"
    partial.write_text(json.dumps(state, indent=1) + "\n")
    partial.rename(home / "postgres.json")


def _initialise(home: Path, server_dir: Path, pg_bin: Path, runner: host.Account, settings: Mapping[str, str]) -> None:
    """Runs initdb once; it works aside and is renamed, so a cut-off one leaves nothing that looks like a database."""
    data_dir, partial = server_dir / "data", server_dir / "data.partial"
    major = host.major_version(pg_bin, runner)
    if data_dir.exists():
        stored = (data_dir / "PG_VERSION").read_text().strip()
        if stored != str(major):
            raise StackFailed(
                f"{data_dir} is of Postgres {stored}, {pg_bin} is {major}; use binaries of {stored} or pg_upgrade it"
            )
        return
    shutil.rmtree(partial, ignore_errors=True)
    password = server_dir / "pwfile"
    password.unlink(missing_ok=True)
    with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write((home / "postgres.password").read_text())
    host.give(password, runner)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    command = [str(pg_bin / "initdb"), "-D", str(partial), "-U", OWNER, f"--pwfile={password}", "-A", "scram-sha-256"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", *locale, "--no-instructions"]
    command += ["--no-sync"] if settings.get("fsync") == "off" else []
    try:
        answer = runner.run(command, timeout=180)
    finally:
        password.unlink()
    if answer.returncode != 0:
        raise StackFailed(f"initdb failed in {server_dir}: {_last_words(answer.stdout)}")
    partial.rename(data_dir)


def _postmaster_pid(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _wait_while_alive(cluster: Cluster) -> bool:
    """Whether a server that is alive but does not answer yet (starting, recovering, stopping) comes to answer."""
    deadline = time.monotonic() + START_SECONDS
    while (pid := _postmaster_pid(cluster.data_dir)) is not None and pid in host.processes_in(cluster.data_dir):
        if _answers(cluster):
            return True
        if time.monotonic() > deadline:
            raise StackFailed(f"Postgres {pid} in {cluster.data_dir} is alive but does not answer; look into its log")
        time.sleep(0.05)
    return False


def _clear_crash(data_dir: Path, socket_dir: Path) -> None:
    """Removes the traces of a dead postmaster that would keep a new one from starting.

    Postgres takes a pid file seriously while ``kill(pid, 0)`` succeeds, which a zombie or a stranger with a reused
    pid lets it do for ever. Nothing is removed while a process works in the data directory.
    """
    host.wait_until_deserted(data_dir)
    (data_dir / "postmaster.pid").unlink(missing_ok=True)
    for leftover in socket_dir.glob(".s.PGSQL.*"):
        leftover.unlink()


def _launch(data_dir: Path, pg_bin: Path, runner: host.Account, settings: Mapping[str, str]) -> str | None:
    """Starts the server and waits until it accepts connections. Returns why it did not, None if it did."""
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    conf = data_dir / "controlroom.conf"
    conf.write_text("".join(f"{name} = '{value}'\n" for name, value in quoted.items()))
    host.give(conf, runner)
    main = data_dir / "postgresql.conf"
    include = f"include = '{conf.name}'\n"
    if include not in main.read_text():
        with open(main, "a") as file:
            file.write(
                f"\n# Ours, rewritten at every start; your own settings belong below it or in alter system.\n{include}"
            )
    log = data_dir.parent / "server.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.rename(log.with_suffix(".log.1"))
    began = log.stat().st_size if log.exists() else 0
    command = [str(pg_bin / "pg_ctl"), "start", "-w", "-t", f"{START_SECONDS:g}", "-D", str(data_dir), "-l", str(log)]
    answer = runner.run(command, timeout=START_SECONDS + 10, log=data_dir.parent / "pg_ctl.log")
    if answer.returncode == 0:
        return None
    with open(log, "rb") as file:
        file.seek(began)
        return _last_words(file.read().decode(errors="replace"))


def _last_words(output: str) -> str:
    """What a failed Postgres program said that matters, in one line: without stamps and everyday messages."""
    lines = [_STAMP.sub("", line).strip() for line in output.splitlines()]
    telling = [line for line in lines if line and not _EVERYDAY.search(line)]
    return " · ".join(telling[-4:]) or "it said nothing"


def _prepare(cluster: Cluster) -> None:
    """Creates the database and the roles that log in, with their passwords; repeating it changes nothing."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        for role, password in ((LOGIN, cluster.login_password), (HOLDER, cluster.token_password)):
            if connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is None:
                create = sql.SQL("create role {} login noinherit password {}")
                connection.execute(create.format(sql.Identifier(role), sql.Literal(password)))
        if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
