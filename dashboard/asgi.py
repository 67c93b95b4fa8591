"""The server: Streamlit's app, the artifacts beside it, and a collector that runs between requests."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboard.data.artifacts import chunks, find
from ops.errors import ControlRoomError, NotFound

COLLECT_SECONDS = 30.0


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What was loaded stays; what sessions leave is collected here instead of after every rerun."""
    gc.collect()
    gc.freeze()
    collector = asyncio.create_task(_collect())
    try:
        yield
    finally:
        collector.cancel()


async def _collect() -> None:
    while True:
        await asyncio.sleep(COLLECT_SECONDS)
        gc.collect()


async def artifact(request: Request) -> Response:
    """``/artifacts/{run}/{artifact}``: the bytes of an artifact of a run that the viewer may see."""
    try:
        found = await run_in_threadpool(find, UUID(request.path_params["run"]), UUID(request.path_params["artifact"]))
    except (ValueError, NotFound):
        return PlainTextResponse("there is no such artifact", 404)
    except ControlRoomError as error:
        return PlainTextResponse(str(error), 503)
    headers = {
        "Content-Disposition": f'attachment; filename="{found.sha256[:12]}-{_plain(found.name)}"',
        "Content-Length": str(found.byte_size),
        "ETag": f'"{found.sha256}"',
        # Content-addressed: these bytes never change.
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(chunks(found.uri), headers=headers, media_type=found.content_type)


def say(error: Exception) -> bool:
    """What a page shows instead of a trace: the words that the command line would print."""
    if isinstance(error, ControlRoomError):
        st.error(f"{error} ({error.code})")
        return True
    return False


def _plain(name: str) -> str:
    return "".join(each if each.isalnum() or each in "._-" else "_" for each in name)


app = st.App(
    Path(__file__).parent / "app.py",
    lifespan=lifespan,
    on_script_error=say,
    routes=[Route("/artifacts/{run}/{artifact}", artifact, methods=["GET"])],
)
