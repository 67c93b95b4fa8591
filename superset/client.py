"""Apache Superset's REST API, thin and typed. A client is one user's session: token, CSRF token and cookie belong together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import httpx

from ops.errors import BiFailed, NotAllowed, NotFound, SourceUnreachable

API = "/api/v1"
PAGE = 100
# What Superset lets a list be ordered by.
ORDER = {
    "/dataset": "table_name",
    "/database": "database_name",
    "/chart": "slice_name",
    "/dashboard": "dashboard_title",
    "/rowlevelsecurity": "name",
}
Json = dict[str, Any]


class Superset:
    """One user's session with a Superset server.

    Every method may raise SourceUnreachable (nobody answers), NotAllowed (the user may not), NotFound and BiFailed (it answers
    with an error of its own; the message has its words).
    """

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=timeout, follow_redirects=False)

    @classmethod
    def signed_in(cls, url: str, user: str, password: str, timeout: float = 60.0) -> Self:
        """A session of the user.

        Raises:
            NotAllowed: wrong name or password.
        """
        client = cls(url, timeout)
        try:
            client.sign_in(user, password)
        except BaseException:
            client.close()
            raise
        return client

    def sign_in(self, user: str, password: str) -> None:
        body = {"username": user, "password": password, "provider": "db", "refresh": False}
        answer = self._send("POST", f"{API}/security/login", json=body)
        if answer.status_code == 401:
            raise NotAllowed(
                f"Superset at {self.url} refuses the password of {user}; check CONTROLROOM_SUPERSET_USER and "
                "CONTROLROOM_SUPERSET_PASSWORD"
            )
        self._http.headers["Authorization"] = f"Bearer {_object(self._checked(answer))['access_token']}"
        self._http.headers["X-CSRFToken"] = str(self.get("/security/csrf_token/")["result"])
        self._http.headers["Referer"] = self.url

    def browse(self, user: str, password: str) -> None:
        """Signs the session in as a browser does too: what is no REST API, samples among them, takes the cookie alone."""
        form = {"username": user, "password": password, "csrf_token": self._http.headers["X-CSRFToken"]}
        answer = self._send("POST", "/login/", data=form)
        if answer.status_code != 302:
            self._checked(answer)
        self._http.headers["X-CSRFToken"] = str(self.get("/security/csrf_token/")["result"])

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def get(self, path: str, **query: object) -> Json:
        """GET of ``/api/v1/…``; ``q`` is sent as JSON."""
        params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
        return _object(self._checked(self._send("GET", API + path, params=params)))

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        return _object(self._checked(self._send("POST", API + path, json=body)))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        return _object(self._checked(self._send("PUT", API + path, json=body)))

    def delete(self, path: str) -> None:
        self._checked(self._send("DELETE", API + path))

    def every(self, path: str, filters: Sequence[Mapping[str, object]] = ()) -> Iterator[Json]:
        """Every row of a list, page after page, in an order that others' changes do not shuffle."""
        order = next((column for start, column in ORDER.items() if path.startswith(start)), "id")
        for page in range(10_000):
            query = {
                "page": page, "page_size": PAGE, "order_column": order, "order_direction": "asc",
                **({"filters": list(filters)} if filters else {}),
            }  # fmt: skip
            found = self.get(path, q=query)["result"]
            yield from found
            if len(found) < PAGE:
                return

    def find(self, path: str, column: str, value: object) -> Json | None:
        """The row of a list whose column has the value."""
        rows = self.every(path, [{"col": column, "opr": "eq", "value": value}])
        return next((row for row in rows if str(row.get(column)) == str(value)), None)

    def import_assets(self, bundle: bytes, passwords: Mapping[str, str]) -> None:
        """Imports a bundle in one transaction of Superset's: all of it or nothing."""
        self._checked(
            self._send(
                "POST",
                f"{API}/assets/import/",
                files={"bundle": ("bundle.zip", bundle, "application/zip")},
                data={"passwords": json.dumps(dict(passwords))},
            )
        )

    def raw(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """An answer as it is, whatever its status; for probes that expect to be refused."""
        return self._send(method, path, **arguments)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            raise SourceUnreachable(
                f"Superset at {self.url} does not answer ({what}); `controlroom superset up` starts ours, "
                "CONTROLROOM_SUPERSET_URL names another"
            ) from None

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        status, where = answer.status_code, f"{answer.request.method} {answer.request.url.path}"
        if status < 300:
            return answer
        said = f"Superset at {self.url} answers {status} to {where}: {_words(answer)}"
        if status in (401, 403):
            raise NotAllowed(f"{said}; the user needs the role Admin there")
        if status == 404:
            raise NotFound(f"{said}; `controlroom superset plan` shows what is missing, `publish` makes it again")
        raise BiFailed(f"{said}; its log says more, and the same command may be repeated", {"status": status})


def _object(answer: httpx.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BiFailed(f"{answer.request.url.copy_with(query=None)} answers without JSON; is a Superset there?")
    return found


def _words(answer: httpx.Response) -> str:
    """What an error of Superset's says, in one line."""
    try:
        found = answer.json()
    except ValueError:
        return answer.reason_phrase or "no words"
    if isinstance(found, dict):
        if isinstance(errors := found.get("errors"), list):
            told = [f"{e.get('message')} {_issues(e.get('extra'))}".strip() for e in errors if isinstance(e, dict)]
            return "; ".join(told)[:500] or "no words"
        found = found.get("message", found)
    return " ".join(str(found).split())[:500]


def _issues(extra: object) -> str:
    rest = {name: told for name, told in extra.items() if name != "issue_codes"} if isinstance(extra, dict) else {}
    return json.dumps(rest) if rest else ""
