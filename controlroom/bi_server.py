"""The home's own Apache Superset: its database in our Postgres, its process among the stack's."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from controlroom import processes
from controlroom.secret_files import kept_secret
from controlroom.stack import answers_http, locked
from ops.database import database_url, with_database
from ops.embedded_host import free_port, port_is_free
from ops.errors import NotAllowed, StackFailed
from ops.secrets import SecretStore
from ops.settings import Settings
from superset.server.launch import LOGIN_PAGE, Server

PART, FOLLOWER = "superset", "superset-follower"
METADATA = "controlroom_superset"
METADATA_SECRET = "secret://env/SUPERSET_METADATA"  # noqa: S105 - where it is, not what it is
PREPARE_SECONDS, START_SECONDS = 600, 180.0
# Of our environment it gets what a process needs to run, and nothing that is ours.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


def start_superset(settings: Settings, port: int, say: Callable[[str], None]) -> str:
    """Starts the home's Superset where it does not run; its URL when its sign-in page is served.

    Raises:
        StackFailed: it is not installed or does not start; the message has its last words.
        NotAllowed: our Postgres does not let us make a database.
    """
    home = settings.home
    owner = database_url(settings)
    with locked(home):
        known = processes.recorded(home).get(PART)
        if known is not None and known.alive and answers_http(known.where + LOGIN_PAGE):
            _follow(home)
            return known.where
        server = _server(settings, owner)
        environment = {
            **{name: os.environ[name] for name in PASSED if name in os.environ}, **server.environment()
        }  # fmt: skip
        _prepare(home, server, environment, say)
        if known is not None and known.alive:
            part = known
        else:
            chosen = port if port and port_is_free(port) else free_port()
            where = f"http://127.0.0.1:{chosen}"
            part = processes.spawn(home, PART, server.serve_command(chosen), environment, where)
        processes.wait_until_ready(home, part, lambda: answers_http(part.where + LOGIN_PAGE), START_SECONDS)
        _follow(home)
    return part.where


def _follow(home: Path) -> None:
    """Starts what publishes for phases, where it does not run."""
    known = processes.recorded(home).get(FOLLOWER)
    if known is None or not known.alive:
        command = [processes.PYTHON, "-m", "controlroom", "superset", "follow"]
        processes.spawn(home, FOLLOWER, command, {**os.environ, "CONTROLROOM_HOME": str(home)}, "")


def make_database(settings: Settings) -> None:
    """Superset's database and its role, for a server that others start; its password is that of ``METADATA_SECRET``.

    Raises:
        NotAllowed: our Postgres does not let us make a database.
        SecretMissing: nothing is stored under that reference.
    """
    _ensure_database(database_url(settings), SecretStore(settings.home).resolve(METADATA_SECRET))


def stop_superset(settings: Settings) -> bool:
    """Ends it; whether there was one."""
    home = settings.home
    if not home.is_dir():
        return False
    with locked(home):
        found = [part for name in (FOLLOWER, PART) if (part := processes.recorded(home).get(name)) is not None]
        for part in found:
            processes.stop(home, part, 10.0)
    return bool(found)


def superset_url(settings: Settings) -> str:
    """Where gold is published to: the URL of the settings, else the home's own.

    Raises:
        StackFailed: none is named and none runs here.
    """
    if settings.superset_url:
        return settings.superset_url
    part = processes.recorded(settings.home).get(PART)
    if part is None or not part.alive:
        raise StackFailed(
            "no Superset runs here; `controlroom superset up` starts one, CONTROLROOM_SUPERSET_URL names another"
        )
    return part.where


def _server(settings: Settings, owner: str) -> Server:
    home, folder = settings.home, settings.home / "bi"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = kept_secret(home, "superset_metadata")
    server = Server(
        settings.superset_venv, folder, _as(owner, METADATA, password), kept_secret(home, "superset_key"),
        settings.superset_user, kept_secret(home, "superset_admin"),
    )  # fmt: skip
    assert server.python
    _ensure_database(owner, password)
    return server


def _prepare(home: Path, server: Server, environment: dict[str, str], say: Callable[[str], None]) -> None:
    """Migrates Superset's database, once for each version of it. Twenty seconds and more."""
    mark = server.folder / "prepared"
    wanted = hashlib.sha256(f"{server.version()}{server.metadata_url}{server.admin}".encode()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return
    say("preparing Superset's database")
    with open(processes.log_file(home, "superset-prepare"), "wb") as log:
        try:
            done = subprocess.run(
                server.prepare_command(), check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=server.folder, env={**environment, processes.MARK: str(home)}, timeout=PREPARE_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise StackFailed(
                f"preparing Superset's database took longer than {PREPARE_SECONDS} s; see {log.name}"
            ) from None
    if done.returncode != 0:
        said = processes.last_words(home, "superset-prepare")
        raise StackFailed(f"Superset's database could not be prepared: {said}; see {log.name}")
    mark.write_text(wanted)


def _ensure_database(owner: str, password: str) -> None:
    """A database and a role that owns it: Superset gets no more of our Postgres than that."""
    name = sql.Identifier(METADATA)
    try:
        with psycopg.connect(owner, autocommit=True) as connection:
            if connection.execute("select 1 from pg_roles where rolname = %s", [METADATA]).fetchone() is None:
                connection.execute(sql.SQL("create role {} login").format(name))
            connection.execute(sql.SQL("alter role {} password {}").format(name, sql.Literal(password)))
            if connection.execute("select 1 from pg_database where datname = %s", [METADATA]).fetchone() is None:
                connection.execute(sql.SQL("grant {} to current_user").format(name))
                connection.execute(sql.SQL("create database {} owner {}").format(name, name))
                connection.execute(sql.SQL("revoke connect on database {} from public").format(name))
    except psycopg.Error as error:
        raise NotAllowed(
            f"a database for Superset cannot be made: {str(error).strip()}; give the owner CREATEDB and CREATEROLE, or name "
            "a Superset of your own with CONTROLROOM_SUPERSET_URL"
        ) from error


def _as(owner: str, user: str, password: str) -> str:
    parts = urlsplit(with_database(owner, METADATA))
    where = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(scheme="postgresql", netloc=f"{user}:{quote(password, safe='')}@{where}"))


def new_password() -> str:
    """A password that a person can be told once."""
    return secrets.token_urlsafe(16)
