"""Trino as an engine, through its own client: for those who have outgrown one machine.

The client speaks ``/v1/statement``: it posts the query and follows ``nextUri`` until there is none. Whoever stops before that
leaves a query that the coordinator works on for minutes; ``farewell.py`` tells it.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl
import requests
import trino
from trino.auth import BasicAuthentication
from trino.client import ClientSession, TrinoQuery, TrinoRequest, TrinoStatus
from trino.exceptions import HttpError, TrinoConnectionError, TrinoDataError, TrinoQueryError

from ops.errors import BadInput, ControlRoomError, NotAllowed, PhaseFailed, SourceUnreachable
from pipelines.sandbox.engine import GRACE_SECONDS, LONGEST_PLAN, Carried
from pipelines.sandbox.job import Job
from pipelines.sandbox.limits import QueryLimits
from pipelines.sandbox.servers.address import Server
from pipelines.sandbox.servers.farewell import Farewell
from pipelines.sandbox.servers.trino_rows import framed, schema_of

CHUNK_ROWS = 20_000
REQUEST_SECONDS = 30.0


class Trino:
    """Implements ``pipelines.sandbox.engine.Engine``."""

    @property
    def identity(self) -> str:
        return f"trino-python-client {trino.__version__}"

    def carry_out(self, job: Job) -> Carried:
        assert job.server is not None
        server = _Server(job.server, job.limits)
        with closing(Farewell(server.headers)) as farewell, _typed_errors(job.limits):
            request = server.request(farewell)
            plan = TrinoQuery(request, f"explain (type logical) {job.sql}").execute()
            told = "\n".join(str(row[0]) for row in plan)[:LONGEST_PLAN]
            return Carried(_rows(TrinoQuery(request, job.sql), job.most), told, f"Trino {server.version()}")


class _Server:
    """The coordinator at an address, and the login in it."""

    def __init__(self, server: Server, limits: QueryLimits) -> None:
        parts = urlsplit(server.address)
        assert parts.hostname
        self._scheme, self._host = parts.scheme, parts.hostname
        [self._port] = server.ports
        self._user, self._password = unquote(parts.username or "controlroom"), unquote(parts.password or "")
        catalog, _, schema = parts.path.strip("/").partition("/")
        self._session = ClientSession(
            self._user,
            catalog=catalog,
            schema=schema or None,
            source="controlroom sql",
            properties={"query_max_run_time": f"{limits.seconds + GRACE_SECONDS:.0f}s"},
            timezone="UTC",
        )
        self._http = requests.Session()
        self._http.max_redirects, self._http.trust_env = 0, False
        # What the machine trusts, an authority of the house among it; the environment, which could name one, is not there.
        self._http.verify = ssl.get_default_verify_paths().cafile or True

    @property
    def headers(self) -> dict[str, str]:
        """Of a request that is not the client's."""
        login = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return {"X-Trino-User": self._user, **({"Authorization": f"Basic {login}"} if self._password else {})}

    def request(self, farewell: Farewell) -> _Request:
        login = BasicAuthentication(self._user, self._password) if self._password else None
        request = _Request(
            self._host, self._port, self._session, self._http, self._scheme, login, request_timeout=REQUEST_SECONDS
        )
        request.farewell, request.server = farewell, self
        return request

    def reaches(self, address: str) -> bool:
        """Whether that is a place of this server."""
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return (parts.scheme, parts.hostname, port) == (self._scheme, self._host, self._port)

    def version(self) -> str:
        """As it tells everybody. The answer is there already: a gateway that does not pass the question on spoils nothing."""
        try:
            told = self._http.get(f"{self._scheme}://{self._host}:{self._port}/v1/info", timeout=REQUEST_SECONDS)
            return str(told.json()["nodeVersion"]["version"])
        except (requests.RequestException, KeyError, TypeError, ValueError):
            return "of unknown version"


class _Request(TrinoRequest):
    farewell: Farewell
    server: _Server

    def process(self, http_response: requests.Response) -> TrinoStatus:
        """The client's own; what the coordinator still works on is owed a word at the end.

        The login goes along with every request: to the server of the address, whatever an answer names as its next place.
        """
        status = super().process(http_response)
        if status.next_uri and not self.server.reaches(status.next_uri):
            raise SourceUnreachable(
                "the Trino server names another scheme, host or port for what comes next; the login is not sent there: have it "
                "know the address that it is reached by (http-server.process-forwarded), or store that address"
            )
        if isinstance(status.rows, dict):
            raise SourceUnreachable(
                "the Trino server answers with places of rows, and was asked for rows; have it spool none"
            )
        self.farewell.owed(status.next_uri)
        if status.columns:
            # Before the first row, which may be long in coming.
            schema_of(status.columns)
        return status


def _rows(query: TrinoQuery, most: int) -> pl.DataFrame:
    found = query.execute()
    schema = schema_of(query.columns or [])
    frames = [pl.DataFrame(schema=schema)]
    while (height := sum(frame.height for frame in frames)) < most:
        chunk = list(islice(found, min(CHUNK_ROWS, most - height)))
        if not chunk:
            break
        frames.append(framed(query.columns, chunk))
    return pl.concat(frames)


@contextmanager
def _typed_errors(limits: QueryLimits) -> Iterator[None]:
    try:
        yield
    except TrinoQueryError as error:
        raise _typed(error, limits) from None
    except HttpError as error:
        raise _refused(error) from None
    except TrinoDataError:
        raise BadInput("a value of the answer is beyond what a client can hold; cast its column to varchar") from None
    except (TrinoConnectionError, requests.RequestException) as error:
        cause = type(error.__context__ or error).__name__
        raise SourceUnreachable(
            f"the Trino server does not answer ({cause}); check its address, network and certificate"
        ) from None


def _typed(error: TrinoQueryError, limits: QueryLimits) -> ControlRoomError:
    name, facts = str(error.error_name), {"error": error.error_name, "query_id": error.query_id}
    said = " ".join(error.message.split())[:300]
    if name == "PERMISSION_DENIED":
        return NotAllowed(f"the Trino login may not: {said}; have it granted, or ask for something else", facts)
    if name in ("EXCEEDED_TIME_LIMIT", "EXCEEDED_CPU_LIMIT"):
        return limits.exceeded("seconds", f"ran longer than {limits.seconds:g} s, or than the server allows")
    # What the analyzer says names a place in the SQL; what is said of a value may quote it.
    if error.error_type == "USER_ERROR" and (error.error_location or name == "SYNTAX_ERROR"):
        return BadInput(f"Trino refuses the SQL: {said}", facts)
    return PhaseFailed(
        f"Trino refuses a value or the work ({name}); what it says may quote data and is not kept: query {error.query_id} in "
        "Trino's own page has it",
        facts,
    )


def _refused(error: HttpError) -> ControlRoomError:
    found: Any = re.search(r"\d{3}", str(error))
    status = found[0] if found else "without a code"
    if status in ("401", "403"):
        return NotAllowed(f"the Trino server refuses the login of its address (HTTP {status}); store one that may read")
    return SourceUnreachable(f"the Trino server does not answer (HTTP {status}); check its address")
