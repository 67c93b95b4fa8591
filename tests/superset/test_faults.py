"""A wrong password, a server that is down, answers of 500 at any moment: a clear error, and never half a publish."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from controlroom import bi
from controlroom.secret_files import write_secret
from ops.errors import BiFailed, NotAllowed, SourceUnreachable
from ops.settings import Settings
from superset.verify import chart_data
from tests.superset.test_publish import recorded
from tests.superset.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


# Requests that write nothing, whatever their verb.
ASKS = ("/login", "/chart/data", "/datasource/samples", "/sqllab/")


@contextmanager
def faulty(url: str, fails: int) -> Iterator[str]:
    """A door to the real Superset that answers the n-th write with 500, once, and does not let it through."""
    writes = iter(range(10_000))

    class Door(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asks = self.command == "GET" or any(part in self.path for part in ASKS)
            if not asks and next(writes) == fails:
                self.send_response(500)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            answer = httpx.request(self.command, url + self.path, content=body, headers=headers, timeout=60)
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() in ("content-type", "set-cookie", "location"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - as the base class has them

        def log_message(self, *_: object) -> None:
            pass

    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{door.server_port}"
    finally:
        door.shutdown()
        door.server_close()


def test_a_wrong_password_is_said_and_changes_nothing(world: World, acme: str) -> None:
    world.release(acme, [100, 200, 300])
    write_secret(world.home, "superset_admin", "wrong")
    with pytest.raises(NotAllowed, match="refuses the password of controlroom"):
        bi.publish_gold(world.settings(acme), lambda _: None)
    write_secret(world.home, "superset_admin", world.server.password)
    assert recorded(world, acme) == {}


def test_a_server_that_is_down_is_said(world: World, acme: str) -> None:
    with pytest.raises(SourceUnreachable, match="does not answer .*superset up"):
        bi.publish_gold(world.settings(acme, superset_url="http://127.0.0.1:1"), lambda _: None)


def test_an_error_at_any_write_is_said_and_the_next_publish_mends_it(world: World, acme: str) -> None:
    """The first publish, cut off at its writes: nobody is granted what has no rules, and it can go on."""
    world.member(acme, f"ann-{acme}")
    world.release(acme, [100, 200, 300])
    refused = 0
    for fails in (0, 1, 2, 3, 4, 6, 8, 12, 15):
        with faulty(world.server.url, fails) as door:
            said = _said(world.settings(acme, superset_url=door))
        if said is not None:
            assert "answers 500" in said or "isolation does not hold" in said
            refused += 1
            _shows_nothing_without_rules(world, acme)
    assert refused >= 6
    bi.publish_gold(world.settings(acme), lambda _: None)
    assert [one for one in bi.plan_gold(world.settings(acme)) if one.action != "keep"] == []
    assert recorded(world, acme)["dataset", "revenue_by_month"].certified_at is not None
    with world.sign_in(acme, f"ann-{acme}") as ann:
        ours = recorded(world, acme)["dataset", "revenue_by_month"].superset_id
        assert "600" in chart_data(ann, ours, metrics=["sum_revenue"]).text
    bi.unpublish_gold(world.settings(acme))


def _said(settings: Settings) -> str | None:
    try:
        bi.publish_gold(settings, lambda _: None)
    except BiFailed as error:
        return str(error)
    return None


def _shows_nothing_without_rules(world: World, org: str) -> None:
    """Whoever has been granted a dataset is held by both of its rules."""
    from superset.security import Security

    with world.server.admin() as admin:
        security = Security(admin)
        roles = security.role_ids()
        granted = security.rights(roles[role]) if (role := f"controlroom {org}/demo/dev") in roles else frozenset()
        for _, name in granted:
            dataset_id = int(name.rpartition("(id:")[2].rstrip(")"))
            held = [rule for rule in security.rules().values() if dataset_id in {one["id"] for one in rule["tables"]}]
            assert sorted(rule["filter_type"] for rule in held) == ["Base", "Regular"]
