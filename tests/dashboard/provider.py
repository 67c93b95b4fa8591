"""``python -m tests.dashboard.provider PORT SECONDS``: an OpenID provider on loopback that can be told to cheat.

``PUT /cheat`` with ``payload`` or ``none`` as its body changes how id tokens are made from then on;
an empty body makes them honest again. ``SECONDS`` is how long they are good.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import oidc_provider_mock  # type: ignore[import-untyped]
from werkzeug.serving import run_simple

Wsgi = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


class Cheating:
    """The provider's app, with what its token endpoint answers changed on demand."""

    def __init__(self, app: Wsgi) -> None:
        self.app, self.how = app, ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/cheat":
            self.how = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)).decode()
            start_response("204 No Content", [])
            return []
        if environ["PATH_INFO"] != "/oauth2/token" or not self.how:
            return self.app(environ, start_response)
        began: list[Any] = []
        body = b"".join(self.app(environ, lambda *said: began.append(said)))  # type: ignore[arg-type]
        answer = json.loads(body)
        if "id_token" in answer:
            answer["id_token"] = self._forged(answer["id_token"])
        body = json.dumps(answer).encode()
        status, headers = began[0][:2]
        kept = [each for each in headers if each[0].lower() != "content-length"]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]

    def _forged(self, token: str) -> str:
        header, payload, signature = token.split(".")
        claims = _read(payload)
        match self.how:
            case "payload":
                return ".".join([header, _written({**claims, "sub": "victim"}), signature])
            case "none":
                return ".".join([_written({"alg": "none"}), _written({**claims, "sub": "victim"}), ""])
            case other:
                raise ValueError(f"no such way to cheat: {other}")


def _read(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _written(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def main() -> None:
    app = oidc_provider_mock.app(access_token_max_age=timedelta(seconds=float(sys.argv[2])))
    app.debug = False
    run_simple("127.0.0.1", int(sys.argv[1]), Cheating(app.wsgi_app), threaded=True)


if __name__ == "__main__":
    main()
