"""``python -m tests.compute.receivers KIND PORT LOG CUT``: a webhook, a mail server or a receiver of lineage on loopback that
writes down what comes.

One JSON line a message, written and flushed before it is answered; CUT is the share of messages after which the connection is
cut instead. So the log says of each message whether its sender can know that it arrived.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import sys
from email import message_from_bytes
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HEADER = "X-Controlroom-Notification"


def note(log: Path, batch: str | None, text: str, answered: bool) -> None:
    ids = re.search(r"notification ((?:[0-9a-f-]{36}\s*)+)", text)
    line = {"batch": batch, "ids": ids.group(1).split() if ids else [], "answered": answered, "text": text}
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


def webhook(port: int, log: Path, cut: float) -> None:
    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answered = random.random() >= cut
            note(log, self.headers.get(HEADER), f"{json.loads(body)['title']}\n{json.loads(body)['message']}", answered)
            if not answered:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Taker).serve_forever()


def lineage(port: int, log: Path, cut: float) -> None:
    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answered = random.random() >= cut
            line = {"path": self.path, "key": self.headers["Authorization"], "event": event, "answered": answered}
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            if not answered:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Taker).serve_forever()


def mail(port: int, log: Path, cut: float) -> None:
    class Taker:
        async def handle_DATA(  # noqa: N802, the name that aiosmtpd calls
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            message = message_from_bytes(envelope.content if isinstance(envelope.content, bytes) else b"")
            parts = [part.get_payload(decode=True) for part in message.walk() if part.get_content_maintype() == "text"]
            text = "\n".join(part.decode() for part in parts if isinstance(part, bytes))
            answered = random.random() >= cut
            subject = make_header(decode_header(str(message["Subject"])))
            note(log, message.get(HEADER), f"{subject}\n{text}", answered)
            if not answered and isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            return "250 taken"

    controller = Controller(Taker(), hostname="127.0.0.1", port=port)
    controller.start()
    asyncio.new_event_loop().run_forever()


if __name__ == "__main__":
    kind, port, log, cut = sys.argv[1:]
    {"webhook": webhook, "mail": mail, "lineage": lineage}[kind](int(port), Path(log), float(cut))
