"""Where a server is: an address that is a secret, read where the secret is, so that a process can be kept to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ops.errors import BadInput

POSTGRES, TRINO = "postgres", "trino"
SERVERS = (POSTGRES, TRINO)
DEFAULT_SERVERS: Mapping[str, str] = {name: f"secret://file/sql/{name}/{{org}}/{{project}}/{{env}}" for name in SERVERS}
"""Engine → reference of its server's address. Settings of the same names with ``sql_`` before them say them for a process."""
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A server and the login with which it is asked.

    Attributes:
        address: with the password; it shows itself nowhere.
        ports: where it listens; none for a socket of this machine.
        files: that its client must read, such as an authority's certificate.
    """

    address: str = field(repr=False)
    ports: tuple[int, ...] = ()
    files: tuple[str, ...] = ()


def server_of(engine: str, address: str) -> Server:
    """The server at that address.

    Raises:
        BadInput: it is none of the engine's; the address is not told, for it is a secret.
    """
    return _READ[engine](address.strip())


def _postgres(address: str) -> Server:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        given = conninfo_to_dict(address)
        whole = make_conninfo(address, connect_timeout=CONNECT_SECONDS, application_name="controlroom sql")
        hosts = str(given.get("host") or given.get("hostaddr") or "").split(",")
        ports = [int(port or 5432) for port in str(given.get("port") or "").split(",")]
    except (psycopg.Error, ValueError):
        raise BadInput(
            "the address of the engine postgres cannot be read; store postgresql://user:password@host:port/database"
        ) from None
    certificate = str(given.get("sslrootcert") or "")
    by_tcp = any(host and not host.startswith(("/", "@")) for host in hosts)
    files = (certificate,) if certificate.startswith("/") else ()
    return Server(whole, tuple(sorted(set(ports))) if by_tcp else (), files)


def _trino(address: str) -> Server:
    try:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 8080)
    except ValueError:
        parts, port = urlsplit(""), 0
    places = parts.path.strip("/").split("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not places[0] or len(places) > 2:
        raise BadInput(
            "the address of the engine trino cannot be read; store https://user:password@host:port/catalog or …/catalog/schema"
        )
    if parts.password and parts.scheme == "http":
        raise BadInput("the address of the engine trino sends a password in the clear; store it with https://")
    return Server(address, (port,))


_READ: Mapping[str, Callable[[str], Server]] = {POSTGRES: _postgres, TRINO: _trino}
