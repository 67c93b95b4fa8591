"""The document that a browser opens at any page's address: Streamlit's own, which is told beforehand what it would find out.

Opened at ``/fleet``, Streamlit's front end asks ``/fleet/_stcore/health`` first, is refused, asks again one folder up and
connects then: two round trips and a restart of its own before the first byte of the page. ``window.__streamlit`` is where
whoever hosts it may say that the server is at the root; then it connects at once.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.data.source import settings
from dashboard.navigation import PLACES

_STREAMLITS = Path(streamlit.__file__).parent / "static" / "index.html"
_WHERE = "BACKEND_BASE_URL: location.origin"
# With this as well it connects before it has asked for anything. Where Streamlit signs people in, it must ask: the cookie
# without which it does not believe who one is comes with that answer.
_AT_ONCE = "HOST_CONFIG: {allowedOrigins: [location.origin], useExternalAuthToken: false}"
_FIRST_SCRIPT = re.compile(r'(?=<script type="module")')


@cache
def document(at_once: bool) -> tuple[bytes, str]:
    """Streamlit's document with what it is told, and its tag.

    Raises:
        ValueError: the installed Streamlit's has no place for it.
    """
    script = f"<script>window.__streamlit = {{{', '.join([_WHERE, _AT_ONCE] if at_once else [_WHERE])}}}</script>"
    told, places = _FIRST_SCRIPT.subn(lambda _: script, _STREAMLITS.read_text(encoding="utf-8"), count=1)
    if places != 1:
        raise ValueError(f"{_STREAMLITS} has no module script; this Streamlit is none that the page was made for")
    body = told.replace("<title>Streamlit</title>", "<title>Control Room</title>").encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


async def opened(request: Request) -> Response:
    """``/`` and each page's address. A browser asks again each time, and is told that nothing is new."""
    body, tag = document(settings().sign_in != "oidc")
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    # A proxy that compresses makes the tag a weak one.
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


ROUTES = [Route(f"/{place.address}", opened, methods=["GET"]) for place in PLACES]
