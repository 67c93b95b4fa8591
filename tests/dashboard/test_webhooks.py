"""Signed requests over real HTTP: what starts a run, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from tests.compute.clockwork import Clockwork
from tests.dashboard.conftest import Served


@dataclass
class Sender:
    """Somebody outside who was told the address and the secret."""

    where: str
    secret: str
    clockwork: Clockwork
    schedule_id: UUID

    def headers(self, body: bytes, message: str, at: int) -> dict[str, str]:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{message}.{at}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(mac).decode()
        return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": signature}

    def post(self, body: bytes, headers: dict[str, str], schedule: object = None) -> httpx.Response:
        where = f"{self.where}/hooks/{schedule or self.schedule_id}"
        return httpx.post(where, content=body, headers=headers, timeout=30)

    def send(self, body: bytes = b"", message: str | None = None, at: int | None = None) -> httpx.Response:
        return self.post(body, self.headers(body, message or uuid4().hex, at or int(time.time())))


@pytest.fixture
def sender(served: Served) -> Iterator[Sender]:
    with psycopg.connect(served.operator.url, autocommit=True) as connection:
        clockwork = Clockwork.of(connection)
        schedule_id = clockwork.put(f"hook_{uuid4().hex[:8]}", None, kind="webhook")
        yield Sender(served.where, clockwork.schedules.create_webhook_secret(schedule_id), clockwork, schedule_id)


def test_a_signed_request_starts_one_run_however_often_it_is_sent(sender: Sender) -> None:
    body = json.dumps({"params": {"day": "monday"}, "from": "the shop"}).encode()
    answers = [sender.send(body, "order-7") for _ in range(3)]
    assert [each.status_code for each in answers] == [202] * 3
    assert len({each.json()["tick"] for each in answers}) == 1
    sender.clockwork.schedules.decide_events(sender.schedule_id)
    [tick] = sender.clockwork.ticks(sender.schedule_id)
    assert tick.outcome == "fired", tick.reason
    found = sender.clockwork.connection.execute("select params from ops.runs where id = %s", [tick.run_id]).fetchone()
    assert found == ({"day": "monday"},)
    assert sender.send(body, "order-8").json()["tick"] != answers[0].json()["tick"]


def test_whatever_is_wrong_with_a_request_the_answer_is_the_same_and_nothing_happens(sender: Sender) -> None:
    now, body = int(time.time()), b'{"a": 1}'
    good = sender.headers(body, "m", now)
    other = Sender(sender.where, "whsec_" + base64.b64encode(b"k" * 32).decode(), sender.clockwork, sender.schedule_id)
    answers = {
        "another body": sender.post(b'{"a": 2}', good),
        "another id": sender.post(body, {**good, "webhook-id": "n"}),
        "another time": sender.post(body, {**good, "webhook-timestamp": str(now - 1)}),
        "no time": sender.post(body, {**good, "webhook-timestamp": "now"}),
        "another key": other.send(body),
        "no signature": sender.post(body, {**good, "webhook-signature": ""}),
        "too old": sender.send(body, at=now - 400),
        "too new": sender.send(body, at=now + 400),
        "another schedule": sender.post(body, good, uuid4()),
        "no schedule": sender.post(body, good, "x"),
        "no headers": sender.post(body, {}),
    }
    assert {name: each.status_code for name, each in answers.items()} == dict.fromkeys(answers, 401)
    assert len({each.text for each in answers.values()}) == 1
    assert sender.post(b"x" * 70_000, good).status_code == 413
    assert sender.clockwork.ticks(sender.schedule_id) == []
    # Of several signatures one must be right: so senders change their secrets.
    assert sender.post(body, {**good, "webhook-signature": "v1,AAAA " + good["webhook-signature"]}).status_code == 202


def test_a_new_secret_ends_the_one_before(sender: Sender) -> None:
    assert sender.send().status_code == 202
    new = sender.clockwork.schedules.create_webhook_secret(sender.schedule_id)
    assert sender.send().status_code == 401
    sender.secret = new
    assert sender.send(b"\xff\x00 no JSON").status_code == 202
    sender.clockwork.schedules.decide_events(sender.schedule_id)
    assert {each.outcome for each in sender.clockwork.ticks(sender.schedule_id)} == {"fired"}


def test_the_signature_is_that_of_rfc_4231(connection: psycopg.Connection) -> None:
    cases = [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    ]
    for key, message, digest in cases:
        found = connection.execute("select encode(private.hmac_sha256(%s, %s), 'hex')", [key, message]).fetchone()
        assert found == (digest,)


def test_a_stranger_may_not_ask_the_database_itself_for_more(sender: Sender) -> None:
    with sender.clockwork.connection.transaction(force_rollback=True):
        sender.clockwork.connection.execute("set local role authenticated")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sender.clockwork.connection.execute("select * from private.webhook_keys")
