"""``POST /hooks/{schedule}``: signed requests from outside that start a pipeline.

As the Standard Webhooks specification has it: headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``. The
signature is verified in Postgres, which alone knows the secret; here nothing is decided.
"""

from __future__ import annotations

from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboard.data.source import pool
from ops.errors import NotAllowed
from ops.schedules import Webhooks

LARGEST = 64 * 1024
HEADERS = {"Cache-Control": "no-store"}


async def receive(request: Request) -> Response:
    """202 with the id of the tick that the request became; 401 for whatever is wrong with it; 413 where it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            return JSONResponse({"error": f"the body is larger than {LARGEST} bytes"}, 413, HEADERS)
    try:
        tick = await run_in_threadpool(_taken, request, bytes(body))
    except NotAllowed as error:
        return JSONResponse({"error": error.message}, 401, HEADERS)
    return JSONResponse({"tick": str(tick)}, 202, HEADERS)


def _taken(request: Request, body: bytes) -> UUID:
    try:
        schedule_id = UUID(request.path_params["schedule"])
        sent_at = int(request.headers["webhook-timestamp"])
    except (ValueError, KeyError):
        # The same answer as to a wrong signature, from where it is written.
        schedule_id, sent_at = UUID(int=0), 0
    return Webhooks(pool()).receive(
        schedule_id,
        request.headers.get("webhook-id", ""),
        sent_at,
        request.headers.get("webhook-signature", ""),
        body,
    )
