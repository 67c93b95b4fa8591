"""A machine of its own for ``compose.yaml`` without a container engine: ``python -m tests.deploy.machine FOLDER``.

Run as the first process of new mount, network and process namespaces, it gives the file what containers would have – its
host names, ports, volumes, secrets and nothing else of the environment – and then starts every service's very command in
the order of their dependencies, asks every health check, and runs the demo. All containers are one here: they share the
loopback device, the file system and root. Postgres' image is not ours: what its entry point does first is done here.
Prints a JSON document.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ops import embedded_host
from tests.deploy.stated import Service, stack
from tests.gate.repository import ROOT

ONCE_SECONDS = 240.0
VARIABLES = {"CONTROLROOM_SIGN_IN": "accounts"}


@dataclass
class Told:
    """What became of one service. ``seconds`` until it was healthy, or had ended; ``ended`` is its exit code."""

    name: str
    command: list[str]
    healthy: bool = False
    seconds: float = 0.0
    ended: int | None = None
    last_words: str = ""


class Machine:
    def __init__(self, folder: Path) -> None:
        self._folder, self._running = folder, dict[str, subprocess.Popen[bytes]]()
        self.services = stack(VARIABLES)
        self.told: list[Told] = []

    def prepare(self) -> None:
        """Mounts what the containers would find."""
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        hosts = self._folder / "hosts"
        hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", socket.gethostname(), *self.services)))
        _mount("--bind", str(hosts), "/etc/hosts")
        secrets = self._folder / "secrets"
        subprocess.run([ROOT / "deploy" / "secrets.sh", secrets], check=True, stdout=subprocess.DEVNULL)
        for hidden in ("/srv", "/run", "/var/lib"):
            _mount("-t", "tmpfs", "tmpfs", hidden)
        _bind(ROOT, "/srv/controlroom")
        _bind(secrets, "/run/secrets")
        for name, at in sorted({each for one in self.services.values() for each in one.volumes.items()}):
            _bind(self._folder / "volumes" / name, at)

    def run(self) -> None:
        """Starts each in turn; stops at the first that does not do what it should."""
        for service in self.services.values():
            began = time.monotonic()
            told = Told(service.name, list(service.command))
            self.told.append(told)
            self._start(service)
            if self._is_awaited(service) == "service_completed_successfully" or service.profiles:
                told.ended = self._running.pop(service.name).wait(ONCE_SECONDS)
                told.healthy = told.ended == 0
            else:
                told.healthy = self._becomes_healthy(service)
            told.seconds = round(time.monotonic() - began, 1)
            if not told.healthy:
                told.last_words = self._log(service.name).read_text(errors="replace")[-4000:]
                return
            if service.name == "postgres":
                self._create_database(service)
        for told in self.told:
            # One that ended by itself in the meantime is no longer well, whatever its check said.
            if (process := self._running.get(told.name)) is not None and (code := process.poll()) is not None:
                told.healthy, told.ended = False, code
                told.last_words = self._log(told.name).read_text(errors="replace")[-4000:]

    def stop(self) -> dict[str, float | None]:
        """SIGTERM, the last started first, as Compose does; the seconds until each ended, None where it had to be killed."""
        seconds: dict[str, float | None] = {}
        for name, process in reversed(self._running.items()):
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(self.services[name].grace)
                seconds[name] = round(time.monotonic() - began, 1)
            except subprocess.TimeoutExpired:
                process.kill()
                seconds[name] = None
        return seconds

    def _is_awaited(self, service: Service) -> str:
        return next((one.needs[service.name] for one in self.services.values() if service.name in one.needs), "")

    def _start(self, service: Service) -> None:
        command, user = list(service.command), None
        if service.name == "postgres":
            command, user = self._initialised(service)
        with open(self._log(service.name), "wb") as log:
            self._running[service.name] = subprocess.Popen(
                command, env=self._environment(service), cwd=service.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, user=user, group=user, extra_groups=[] if user else None,
            )  # fmt: skip

    def _environment(self, service: Service) -> dict[str, str]:
        venv = ".superset-venv" if service.image.endswith("superset") else ".venv"
        path = f"{ROOT / venv / 'bin'}:{os.environ['PATH']}"
        given = {"PATH": path, "HOME": str(self._folder), "LANG": "C.UTF-8", **service.environment}
        return {**given, "PGDATA": "/var/lib/postgresql/data"} if service.name == "postgres" else given

    def _becomes_healthy(self, service: Service) -> bool:
        process = self._running[service.name]
        for _ in range(service.retries):
            if process.poll() is not None:
                return False
            if not service.check:
                return True
            asked = subprocess.run(
                self._checked(service), env=self._environment(service), cwd=service.folder, capture_output=True,
                timeout=60, check=False,
            )  # fmt: skip
            if asked.returncode == 0:
                return True
            time.sleep(service.interval)
        return False

    def _checked(self, service: Service) -> list[str]:
        first, *rest = service.check
        return [str(_postgres_binary(first)) if service.name == "postgres" else first, *rest]

    def _initialised(self, service: Service) -> tuple[list[str], int]:
        """As Postgres' image begins: a data directory of the owner's, then the command, not as root."""
        at = Path("/var/lib/postgresql/data")
        runner = embedded_host.account(self._folder / "nobody's")
        folder = embedded_host.readable_binaries(embedded_host.binaries(None), runner, self._folder)
        embedded_host.give(at, runner)
        secret = Path(service.environment["POSTGRES_PASSWORD_FILE"])
        owner = service.environment["POSTGRES_USER"]
        answer = runner.run(
            [str(folder / "initdb"), "-D", str(at), "-U", owner, f"--pwfile={secret}", "-A", "scram-sha-256"], 180
        )
        if answer.returncode != 0:
            raise RuntimeError(answer.stdout)
        program, *options = service.command
        return [str(folder / program), *options, "-c", "unix_socket_directories="], runner.uid

    def _create_database(self, service: Service) -> None:
        name, user = service.environment["POSTGRES_DB"], service.environment["POSTGRES_USER"]
        password = Path(service.environment["POSTGRES_PASSWORD_FILE"]).read_text().strip()
        where = make_conninfo(host="postgres", user=user, password=password, dbname="postgres")
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _postgres_binary(name: str) -> Path:
    return embedded_host.binaries(None) / name


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _bind(what: Path, where: str) -> None:
    what.mkdir(parents=True, exist_ok=True)
    what.chmod(0o755)
    Path(where).mkdir(parents=True, exist_ok=True)
    _mount("--bind", str(what), where)


def main(folder: Path) -> Mapping[str, object]:
    machine = Machine(folder)
    machine.prepare()
    try:
        machine.run()
    finally:
        stopped = machine.stop()
    return {"services": [asdict(each) for each in machine.told], "stopped": stopped}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201
