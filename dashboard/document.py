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

from dashboard.navigation import PLACES

_STREAMLITS = Path(streamlit.__file__).parent / "static" / "index.html"
_TOLD = (
    "<script>window.__streamlit = {BACKEND_BASE_URL: location.origin, "
    "HOST_CONFIG: {allowedOrigins: [location.origin], useExternalAuthToken: false}}</script>"
)
_FIRST_SCRIPT = re.compile(r'(?=<script type="module")')


@cache
def document() -> bytes:
    """Streamlit's document with what it is told. Raises ValueError where the installed Streamlit's has no place for it."""
    told, places = _FIRST_SCRIPT.subn(_TOLD, _STREAMLITS.read_text(encoding="utf-8"), count=1)
    if places != 1:
        raise ValueError(f"{_STREAMLITS} has no module script; this Streamlit is none that the page was made for")
    return told.replace("<title>Streamlit</title>", "<title>Control Room</title>").encode()


async def opened(request: Request) -> Response:
    """``/`` and each page's address. A browser asks again each time, and is told that nothing is new."""
    tag = f'"{hashlib.sha256(document()).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(document(), media_type="text/html", headers=headers)


ROUTES = [Route(f"/{place.address}", opened, methods=["GET"]) for place in PLACES]
