"""A Ray of our own on this machine: how its head is started, reached and known to be up. Token-protected, loopback only.

``ray start --block`` keeps the node's daemons as its children and ends them with itself, so one pid stands for all of them:
``ray stop`` would end every Ray of the machine.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

NAMESPACE = "controlroom"
OBJECT_STORE_BYTES = 512 * 2**20


def environment(home: Path) -> dict[str, str]:
    """This process's environment with what every process of the cluster needs; makes the token where there is none."""
    return {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_file(home)),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        # Beyond these Ray ends idle workers after a second, and counts the executors among them.
        "RAY_num_workers_soft_limit": "32",
        "RAY_idle_worker_killing_time_threshold_ms": "600000",
        # What a handler has started ends with its worker, however that ends.
        "RAY_process_group_cleanup_enabled": "true",
    }


def token_file(home: Path) -> Path:
    """The cluster's token, mode 0600; made by whoever comes first."""
    path = home / "ray.token"
    home.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path


def session_directory(home: Path) -> Path:
    """Where Ray keeps logs and sockets. Not in the home: a socket's path may have 107 bytes, Ray's own part has 70."""
    return Path(tempfile.gettempdir()) / f"cr-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"


def head_command(home: Path, port: int, cpus: int) -> list[str]:
    """Starts a head node and stays until it is ended."""
    return [
        *_start(cpus),
        "--head",
        f"--port={port}",
        f"--temp-dir={session_directory(home)}",
        "--include-dashboard=false",
        f"--ray-client-server-port={port + 1}",
    ]


def worker_command(address: str, cpus: int) -> list[str]:
    """Starts a further node of the cluster at ``address`` and stays until it is ended."""
    return [*_start(cpus), f"--address={address}"]


def _start(cpus: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--block",
        "--node-ip-address=127.0.0.1",
        f"--num-cpus={cpus}",
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        "--disable-usage-stats",
    ]


def address(environ: Mapping[str, str], port: int) -> str:
    """The cluster to work on: ``RAY_ADDRESS``, else our own head."""
    return environ.get("RAY_ADDRESS") or f"127.0.0.1:{port}"
