"""The forms of local accounts: sign in, and set a password with a one-time link. Plain pages beside Streamlit's.

A form is taken only with the token that its page put into a cookie and into the form, and only from our own origin. The
session's value is made when signing in succeeds, never before, so nobody can plant one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.components.render import render
from dashboard.data.source import caller_of, door, https, settings
from dashboard.sign_in.person import session_cookie
from ops.accounts import SHORTEST
from ops.errors import BadInput, ControlRoomError, NotSignedIn, TooManyAttempts

FORM_COOKIE, LINK_COOKIE = "controlroom_form", "controlroom_link"
LONGEST_BODY = 16 * 1024
FORM_SECONDS = 3600
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # Not no-referrer: browsers then send forms with the origin "null".
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
STATUS: Mapping[type[ControlRoomError], int] = {NotSignedIn: 401, TooManyAttempts: 429, BadInput: 400}
_TOKEN = re.compile(r"[\w-]{32}")


async def ask_sign_in(request: Request) -> Response:
    """``GET /sign-in``"""
    return _form(request, "sign_in")


async def take_sign_in(request: Request) -> Response:
    """``POST /sign-in``: name and password for a session."""
    try:
        given = await _given(request)
        caller = caller_of(request)
        value = await run_in_threadpool(
            door().sign_in, given.get("name", "").strip(), given.get("password", ""), caller, _lifetime()
        )
    except ControlRoomError as error:
        return _form(request, "sign_in", error)
    return await _signed_in(request, value)


async def take_link(request: Request) -> Response:
    """``GET /sign-in/link?of=…``: moves the link's text from the address into a cookie; looking does not use it up."""
    answer = RedirectResponse("password", 303, headers=HEADERS)
    _set(answer, LINK_COOKIE, request.query_params.get("of", "")[:100], FORM_SECONDS)
    return answer


async def ask_password(request: Request) -> Response:
    """``GET /sign-in/password``"""
    return await _password_form(request)


async def _password_form(request: Request, error: ControlRoomError | None = None) -> Response:
    subject = await run_in_threadpool(door().link_subject, request.cookies.get(LINK_COOKIE, ""))
    if subject is None:
        return _form(request, "no_link", NotSignedIn("this link was used or has expired; ask for another"))
    return _form(request, "password", error, subject=subject)


async def take_password(request: Request) -> Response:
    """``POST /sign-in/password``: sets it, uses the link up, signs in."""
    link = request.cookies.get(LINK_COOKIE, "")
    try:
        given = await _given(request)
        password = given.get("password", "")
        if password != given.get("again", ""):
            raise BadInput("the two passwords differ; type the same twice")
        value = await run_in_threadpool(door().use_link, link, password, caller_of(request), _lifetime())
    except NotSignedIn as error:
        return _form(request, "no_link", error)
    except ControlRoomError as error:
        return await _password_form(request, error)
    answer = await _signed_in(request, value)
    answer.delete_cookie(LINK_COOKIE, path="/sign-in", secure=https(), httponly=True, samesite="lax")
    return answer


async def _signed_in(request: Request, value: str) -> Response:
    """To the page, with a new session; one that was open in this browser ends."""
    if before := request.cookies.get(session_cookie(https())):
        await run_in_threadpool(door().sign_out, before)
    answer = RedirectResponse("/", 303, headers=HEADERS)
    _set(answer, session_cookie(https()), value, int(_lifetime().total_seconds()), path="/")
    return answer


def _lifetime() -> timedelta:
    return timedelta(hours=settings().session_hours)


async def _given(request: Request) -> dict[str, str]:
    """The form's fields.

    Raises:
        BadInput: it did not come from our own page.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise _not_ours()
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise BadInput("this is longer than any name and password; try again")
    fields = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    expected = request.cookies.get(FORM_COOKIE, "")
    if not expected or not hmac.compare_digest(expected.encode(), fields.get("token", "").encode()):
        raise _not_ours()
    return fields


def _not_ours() -> BadInput:
    return BadInput("this form was not sent from its own page, or the page was open too long; try again")


def _form(request: Request, template: str, error: ControlRoomError | None = None, **values: object) -> Response:
    token = request.cookies.get(FORM_COOKIE, "")
    if not _TOKEN.fullmatch(token):
        token = secrets.token_urlsafe(24)
    status = 200 if error is None else STATUS.get(type(error), 503)
    headers = dict(HEADERS)
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.data.get("wait_seconds", 60))
    said = None if error is None else error.message
    html = render(f"forms/{template}", token=token, said=said, shortest=SHORTEST, **values)
    answer = HTMLResponse(html, status, headers)
    _set(answer, FORM_COOKIE, token, FORM_SECONDS)
    return answer


def _set(answer: Response, name: str, value: str, seconds: int, path: str = "/sign-in") -> None:
    answer.set_cookie(name, value, max_age=seconds, path=path, secure=https(), httponly=True, samesite="lax")


ROUTES = [
    Route("/sign-in", ask_sign_in, methods=["GET"]),
    Route("/sign-in", take_sign_in, methods=["POST"]),
    Route("/sign-in/link", take_link, methods=["GET"]),
    Route("/sign-in/password", ask_password, methods=["GET"]),
    Route("/sign-in/password", take_password, methods=["POST"]),
]
