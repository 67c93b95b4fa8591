"""The server: Streamlit's app, the artifacts and the forms beside it, and a collector that runs between requests."""

from __future__ import annotations

import asyncio
import gc
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import document, webhooks
from dashboard.data.artifacts import allowed, chunks, elsewhere
from dashboard.data.source import https
from dashboard.sign_in import forms, oidc
from ops.errors import BadInput, ControlRoomError, NotAllowed, NotFound, NotSignedIn
from ops.settings import Settings
from ops.views import ArtifactRow

HERE = Path(__file__).parent
COLLECT_SECONDS = 30.0
# Home is what opens first. Polars takes longer than that page: it waits until the first browser is likely to have it.
FIRST = ("dashboard.views.home", "dashboard.views.parts", "dashboard.views.runs", "ops.home_reads")
NEXT = ("polars", "dashboard.views.bulk", "dashboard.actions.runs")
NEXT_SECONDS = 3.0
FAULT = "This page has a fault of its own, which is not yours; the dashboard's log says what happened."
FINAL = (BadInput, NotFound, NotAllowed)
# One answer to whatever is wrong with a link, so that none of it can be found out by asking.
NO_ARTIFACT = "there is no such artifact, or the link to it is over; open the run's page for a new one"
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?")


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What was loaded stays; what sessions leave is collected here instead of after every rerun."""
    collector = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collector.cancel()


async def _collect() -> None:
    await asyncio.to_thread(load, FIRST)
    await asyncio.sleep(NEXT_SECONDS)
    await asyncio.to_thread(load, NEXT)
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()


def load(names: Sequence[str]) -> None:
    """Loads what pages are made of while nobody waits for it: the first one's while a browser still loads its scripts."""
    for name in names:
        import_module(name)


async def artifact(request: Request) -> Response:
    """``/artifacts/{run}/{artifact}?…``: the bytes of an artifact, by a signed link, for whoever may see its run."""
    try:
        return await run_in_threadpool(_given, request)
    except (NotFound, NotSignedIn):
        return PlainTextResponse(NO_ARTIFACT, 404, {"Cache-Control": "no-store"})


def _given(request: Request) -> Response:
    found = allowed(request)
    if (url := elsewhere(found)) is not None:
        return RedirectResponse(url, 302, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    data = chunks(found)
    # Begun here, so that what is missing or damaged in its first MiB is an answer and not a broken download.
    first = next(data)
    return StreamingResponse(itertools.chain([first], data), headers=_headers(found), media_type=_type(found))


def _headers(found: ArtifactRow) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{found.sha256[:12]}-{_plain(found.name)}"',
        "Content-Length": str(found.byte_size),
        "ETag": f'"{found.sha256}"',
        # Whoever signs out, or is no member any more, must not find them in the browser.
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }


def _type(found: ArtifactRow) -> str:
    return found.content_type if _CONTENT_TYPE.fullmatch(found.content_type) else "application/octet-stream"


def _plain(name: str) -> str:
    return "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in name)


def say(error: Exception) -> bool:
    """What a page shows instead of a trace: the words that the command line would print, and a way to try it again.

    Streamlit has written the trace to the log by then. What is wrong with the question itself would be as wrong again.
    """
    st.error(f"{error} ({error.code})" if isinstance(error, ControlRoomError) else FAULT)
    if not isinstance(error, FINAL):
        # A press draws the page, or the part of it that failed, anew: nothing else need be done.
        st.button("Load again", key="again")
    return True


def refuse(_: Request, error: Exception) -> Response:
    """What a request beside the page is answered when Postgres or the store does not answer us."""
    said = f"{error} ({error.code})" if isinstance(error, ControlRoomError) else "an error of ours"
    return PlainTextResponse(said, 503, {"Cache-Control": "no-store"})


class Guarded:
    """Headers that every answer has; and cookies of Streamlit's that are for https only where that is how people come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
                if https():
                    message["headers"] = [_secured(each) for each in message["headers"]]
            await send(message)

        await self.app(scope, receive, guarded)


def _secured(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    if name.lower() != b"set-cookie" or b"; secure" in value.lower():
        return header
    return name, value + b"; Secure"


def application(settings: Settings, where: str) -> st.App:
    """The page for the way of signing in that is set; ``where`` is the address that it will listen on.

    Raises:
        SettingsInvalid, SecretMissing: what that way needs is not there.
    """
    return st.App(
        HERE / "app.py",
        lifespan=lifespan,
        on_script_error=say,
        exception_handlers={ControlRoomError: refuse},
        middleware=[Middleware(Guarded)],
        secrets={"auth": {**oidc.configuration(settings, where)}} if settings.sign_in == "oidc" else None,
        routes=[
            *document.ROUTES,
            Route("/artifacts/{run}/{artifact}", artifact, methods=["GET"]),
            Route("/hooks/{schedule}", webhooks.receive, methods=["POST"]),
            *(forms.ROUTES if settings.sign_in == "accounts" else []),
        ],
    )
