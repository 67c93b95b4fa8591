"""Many people who leave the page open: sessions over Streamlit's own protocol, without a browser's cost on these two cores.

A session does what a browser does: it asks for the page once and then for each fragment that draws itself again, at each tick
of its interval (a ``setInterval``, which no late answer moves), and says which messages it still has. What is timed is the
server: from the request for a fragment to its last message.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_SECONDS = 60.0


@dataclass
class Seen:
    """What the sessions of one round saw: milliseconds of each refresh, bytes of each."""

    milliseconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)


class Kept:
    """The messages that a browser keeps, and forgets when its page was drawn a few times without them.

    Streamlit's front end does the same (``incrementRunCount`` in its bundle): one that forgot nothing would name, and let
    the server remember, everything that it ever saw.
    """

    def __init__(self) -> None:
        self._drawn = 0
        self._most = 0
        self._seen: dict[str, tuple[str, int]] = {}

    @property
    def hashes(self) -> list[str]:
        return list(self._seen)

    def take(self, told: ForwardMsg) -> None:
        """Counts what the message says, whatever it is."""
        kind = told.WhichOneof("type")
        if kind == "new_session":
            self._most = told.new_session.config.max_cached_message_age
        elif kind == "ref_hash":
            fragment, _ = self._seen[told.ref_hash]
            self._seen[told.ref_hash] = (fragment, self._drawn)
        elif told.metadata.cacheable and told.hash:
            self._seen[told.hash] = (told.delta.fragment_id, self._drawn)

    def drawn(self, fragment: str | None) -> None:
        """The page, or a fragment of it, was drawn: what nothing used lately is forgotten."""
        self._drawn += 1
        self._seen = {
            name: (of, last)
            for name, (of, last) in self._seen.items()
            if (fragment is not None and of != fragment) or self._drawn - last <= self._most
        }


def watch(port: int, page: str, sessions: int, seconds: float) -> Seen:
    """Opens so many sessions of a page, evenly over one interval, and keeps them live for so long.

    Raises:
        RuntimeError: the page drew nothing again by itself, or said that it failed.
    """
    return asyncio.run(_watch(port, page, sessions, seconds))


async def _watch(port: int, page: str, sessions: int, seconds: float) -> Seen:
    seen = Seen()
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(sessions):
            group.create_task(_session(port, page, until, seen))
            # People do not come all at once; and drawing the whole page is not what is measured.
            await asyncio.sleep(min(0.1, seconds / 3 / sessions * (number < sessions - 1)))
    return seen


async def _session(port: int, page: str, until: float, seen: Seen) -> None:
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with connect(
        address, subprotocols=[Subprotocol("streamlit")], origin=Origin(f"http://127.0.0.1:{port}"), max_size=None
    ) as socket:
        has = Kept()
        script, fragments = await _drawn(socket, page, has)
        if not fragments:
            raise RuntimeError(f"page {page!r} draws nothing again by itself; name one that does")
        due = {fragment: time.monotonic() + interval for fragment, interval in fragments.items()}
        while time.monotonic() < until:
            fragment = min(due, key=lambda each: due[each])
            await asyncio.sleep(max(0.0, due[fragment] - time.monotonic()))
            began = time.perf_counter()
            size = await _again(socket, page, script, fragment, has)
            seen.milliseconds.append(1000 * (time.perf_counter() - began))
            seen.sizes.append(size)
            late = max(0.0, time.monotonic() - due[fragment])
            due[fragment] += fragments[fragment] * (1 + late // fragments[fragment])


async def _drawn(socket: ClientConnection, page: str, has: Kept) -> tuple[str, dict[str, float]]:
    """Asks for the whole page; its script's hash, and the fragments that are to be drawn again: id → seconds.

    Args:
        has: takes the messages that a browser would keep.
    """
    asked = BackMsg()
    asked.rerun_script.page_name = page
    await socket.send(asked.SerializeToString())
    script, fragments = "", dict[str, float]()
    while True:
        told = await _told(socket)
        has.take(told)
        kind = told.WhichOneof("type")
        if kind == "new_session":
            script, fragments = told.new_session.page_script_hash, {}
        elif kind == "auto_rerun":
            fragments[told.auto_rerun.fragment_id] = told.auto_rerun.interval
        elif kind == "script_finished" and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            has.drawn(None)
            return script, fragments


async def _again(socket: ClientConnection, page: str, script: str, fragment: str, has: Kept) -> int:
    asked = BackMsg()
    asked.rerun_script.page_name = page
    asked.rerun_script.page_script_hash = script
    asked.rerun_script.fragment_id = fragment
    asked.rerun_script.is_auto_rerun = True
    asked.rerun_script.cached_message_hashes.extend(has.hashes)
    await socket.send(asked.SerializeToString())
    size = 0
    while True:
        told = await _told(socket)
        has.take(told)
        size += int(told.ByteSize())
        if told.WhichOneof("type") == "script_finished":
            has.drawn(fragment)
            return size


async def _told(socket: ClientConnection) -> ForwardMsg:
    """The next message.

    Raises:
        RuntimeError: it is an exception that the page shows.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        message = await socket.recv(decode=False)
    told = ForwardMsg()
    told.ParseFromString(message)
    if told.WhichOneof("type") == "delta" and told.delta.new_element.WhichOneof("type") == "exception":
        raise RuntimeError(f"the page failed: {told.delta.new_element.exception.message}")
    return told


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
