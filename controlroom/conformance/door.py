"""Schema ``api`` over HTTP, as a signed-in person."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from ops.errors import ControlRoomError, DatabaseUnavailable, NotAllowed, all_errors

Row = Mapping[str, Any]
_CODES = all_errors()
ANSWER_SECONDS = 15.0


class Door:
    """PostgREST at ``url`` under a person's token. A context: the connection is closed with it.

    Args:
        url: of PostgREST; on Supabase it ends in ``/rest/v1``.
        apikey: what Supabase's gateway wants beside the token.
    """

    def __init__(self, url: str, token: str, apikey: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept-Profile": "api", "Content-Profile": "api"}
        headers |= {"apikey": apikey} if apikey else {}
        self._http = httpx.Client(base_url=url.rstrip("/"), headers=headers, timeout=ANSWER_SECONDS)

    def call(self, rpc: str, /, **arguments: object) -> Any:
        """What the RPC returns; its arguments without their ``p_``.

        Raises:
            ControlRoomError: by the code that the answer carries; DatabaseUnavailable where none came.
        """
        return self._asked("POST", f"/rpc/{rpc}", json={f"p_{name}": value for name, value in arguments.items()})

    def rows(self, view: str, order: str | None = None, **equal: object) -> list[Row]:
        """Rows of a view whose columns have these values.

        Raises:
            ControlRoomError: as :meth:`call`.
        """
        wanted = {name: f"eq.{value}" for name, value in equal.items()} | ({"order": order} if order else {})
        found: list[Row] = self._asked("GET", f"/{view}", params=wanted)
        return found

    def _asked(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise DatabaseUnavailable(
                f"{self._http.base_url} does not answer: {error}; is it PostgREST's URL?"
            ) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(path, answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def _refusal(path: str, answer: httpx.Response) -> ControlRoomError:
    try:
        said = answer.json()
    except ValueError:
        said = {}
    code, message = str(said.get("code", "")), str(said.get("message") or f"HTTP {answer.status_code}")
    if code in _CODES:
        return _CODES[code](message)
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return NotAllowed(f"{path}: {message}; the token must be a person's (role authenticated, with a sub)")
    return ControlRoomError(f"{path}: HTTP {answer.status_code}: {code} {message}")
