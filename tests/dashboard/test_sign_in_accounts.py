"""Local accounts in a browser: two people at once, signing out, stolen and forged cookies, links, brute force."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import Message
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.data import keys
from dashboard.data.links import LIFETIME_SECONDS, Named
from dashboard.data.links import link as sign_link
from ops.accounts import Accounts
from ops.database import connect
from ops.embedded import Cluster
from tests.dashboard.conftest import Served, serve
from tests.dashboard.people import Team, team, tenancy
from tests.postgres import Databases

PASSWORD = "seven brown foxes"


@dataclass(frozen=True)
class World:
    served: Served
    ours: Team
    theirs: Team

    def accounts(self) -> Accounts:
        return Accounts(self.served.operator.owner.source)


@pytest.fixture(scope="module")
def world(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with databases.clone(template) as url:
        for served in serve(cluster, url, tmp_path_factory.mktemp("home"), CONTROLROOM_SIGN_IN="accounts"):
            with connect(url, autocommit=True) as owner:
                for name in ("ada", "bob", "eve", "idle", "mal"):
                    Accounts(owner).add(name)
                    Accounts(owner).set_password(name, PASSWORD)
            yield World(served, team(served, "acme", "ada"), team(served, "rivals", "bob"))


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    made = [browser.new_context(viewport={"width": 1400, "height": 1000}) for _ in range(2)]
    yield made
    for each in made:
        each.close()


def sign_in(page: Page, served: Served, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{served.where}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def session_of(context: BrowserContext) -> str:
    [value] = [each["value"] for each in context.cookies() if each["name"] == "controlroom_session"]
    return value


def answer(url: str, cookie: str = "", data: bytes | None = None, **headers: str) -> tuple[int, str, Message]:
    """Status, body and headers of a plain request, redirects not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, {**given, **({"Cookie": cookie} if cookie else {})})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as got:
            return got.status, got.read().decode(), got.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def post(served: Served, path: str, address: str = "127.0.0.1", **fields: str) -> tuple[int, str, Message]:
    """A form as its own page would send it, from ``address`` by way of a proxy on this machine."""
    held = fields.pop("cookie", "")
    _, html, headers = answer(f"{served.where}{path}", held)
    [token] = re.findall(r'name="token" value="([\w-]+)"', html) or [""]
    cookie = "; ".join([held, *(each.partition(";")[0] for each in headers.get_all("Set-Cookie", []))]).removeprefix(
        "; "
    )
    body = urllib.parse.urlencode({"token": token, **fields}).encode()
    return answer(f"{served.where}{path}", cookie, body, Origin=served.where, X_Forwarded_For=address)


def link_of(world: World, team: Team, now: float | None = None) -> str:
    """A link to the team's artifact for any member, as the page itself would sign it."""
    # Made here where no page has needed it yet, as any process would.
    signed_with = keys.key(world.served.home, "artifact_links.key")
    return sign_link(signed_with, Named(team.run_id, team.artifact_id, team.sha256), None, now)


def test_nobody_sees_anything_without_signing_in(world: World, page: Page) -> None:
    for path in ("", f"/run?id={world.ours.run_id}", "/trigger"):
        page.goto(world.served.where + path)
        expect(page.get_by_text("Nobody is signed in here.")).to_be_visible()
        assert world.ours.secret not in page.content()
        assert page.locator("table, .tile, [data-testid=stSelectbox]").count() == 0
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_two_people_at_once_never_see_each_others(world: World, contexts: list[BrowserContext]) -> None:
    pages = [context.new_page() for context in contexts]
    teams = [world.ours, world.theirs]
    for page, mine in zip(pages, teams, strict=True):
        sign_in(page, world.served, mine.subject)
        page.wait_for_selector("table")
    for _ in range(3):
        for page, mine, other in zip(pages, teams, reversed(teams), strict=True):
            page.goto(f"{world.served.where}/runs")
            expect(page.locator(f"a[href='run?id={mine.run_id}']")).to_be_visible()
            assert other.secret not in page.content()
            page.goto(f"{world.served.where}/runs?pipeline={other.secret}")
            page.wait_for_selector("table")
            assert page.locator(f"a[href*='{other.run_id}']").count() == 0
            page.goto(f"{world.served.where}/run?id={other.run_id}")
            expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
            assert other.secret not in page.content()
            page.goto(f"{world.served.where}/run?id={mine.run_id}")
            expect(page.locator(".verdict")).to_contain_text(mine.secret)


def test_an_artifacts_link_is_for_its_person_and_its_bytes_only(world: World, contexts: list[BrowserContext]) -> None:
    page, other = (context.new_page() for context in contexts)
    sign_in(page, world.served, "ada")
    page.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    link = page.get_by_role("link", name=f"{world.ours.secret}.csv")
    with page.expect_download() as begun:
        link.click()
    assert begun.value.path().read_text() == world.ours.secret
    path = str(link.get_attribute("href"))
    sign_in(other, world.served, "bob")
    other.wait_for_selector("table")
    mine, his = (f"controlroom_session={session_of(context)}" for context in contexts)
    assert answer(f"{world.served.where}/{path}", mine)[:2] == (200, world.ours.secret)
    refused = [
        answer(f"{world.served.where}/{path}", his),
        answer(f"{world.served.where}/{path}"),
        answer(f"{world.served.where}/{path.partition('?')[0]}", mine),
        answer(f"{world.served.where}/{path[:-1]}{'0' if path[-1] != '0' else '1'}", mine),
        answer(f"{world.served.where}/{path.replace('until=1', 'until=2')}", mine),
        answer(f"{world.served.where}/{path.replace('for=me', 'for=any')}", mine),
        answer(f"{world.served.where}/{path.replace(str(world.ours.run_id), str(world.theirs.run_id))}", mine),
        answer(
            f"{world.served.where}/{path.replace(str(world.ours.artifact_id), str(world.theirs.artifact_id))}", mine
        ),
        answer(f"{world.served.where}/artifacts/{world.theirs.run_id}/{world.theirs.artifact_id}", mine),
        answer(f"{world.served.where}/artifacts/none/none", mine),
        # Well signed, for any member: of a run that is not his to see, and of one that nobody has.
        answer(f"{world.served.where}/{link_of(world, world.theirs)}", mine),
        answer(f"{world.served.where}/{link_of(world, replace(world.ours, artifact_id=uuid4()))}", mine),
        answer(f"{world.served.where}/{link_of(world, world.ours, now=time.time() - 2 * LIFETIME_SECONDS)}", mine),
    ]
    assert answer(f"{world.served.where}/{link_of(world, world.ours)}", mine)[0] == 200
    assert {(status, body) for status, body, _ in refused} == {(404, refused[0][1])}
    for climbing in ("artifacts/../postgres.password", "artifacts/..%2f..%2fartifact_links.key", "artifacts/%2e%2e/x"):
        status, body, _ = answer(f"{world.served.where}/{climbing}", mine)
        assert (world.served.home / "artifact_links.key").read_text() not in body, (climbing, status)


def test_a_membership_that_is_gone_is_gone_at_the_next_query(world: World, contexts: list[BrowserContext]) -> None:
    page = contexts[0].new_page()
    tenancy(world.served).set_member("acme", "books", "idle", "viewer")
    sign_in(page, world.served, "idle")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    listed = page.locator(f"a[href='run?id={world.ours.run_id}']")
    expect(listed).to_be_visible()
    second = contexts[0].new_page()
    second.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    path = str(second.get_by_role("link", name=f"{world.ours.secret}.csv").get_attribute("href"))
    tenancy(world.served).remove_member("acme", "books", "idle")
    # The list asks again every two seconds by itself; nothing is clicked and nobody signs in anew.
    expect(listed).to_have_count(0, timeout=30_000)
    cookie = f"controlroom_session={session_of(contexts[0])}"
    assert answer(f"{world.served.where}/{path}", cookie)[0] == 404
    page.reload()
    expect(page.get_by_text("You belong to no project yet")).to_be_visible()
    expect(page.locator("[role=status]").get_by_text("idle", exact=True)).to_be_visible()
    assert page.locator("table, .tile").count() == 0
    assert world.ours.secret not in page.content()


def test_signing_out_ends_every_copy_of_the_cookie(world: World, contexts: list[BrowserContext]) -> None:
    page, thief = (context.new_page() for context in contexts)
    sign_in(page, world.served, "ada")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    stolen = session_of(contexts[0])
    contexts[1].add_cookies([{"name": "controlroom_session", "value": stolen, "url": world.served.where}])
    thief.goto(f"{world.served.where}/runs")
    expect(thief.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Nobody is signed in here.")).to_be_visible()
    assert page.locator("table").count() == 0
    # The thief's page is open, and asks again by itself.
    expect(thief.get_by_text("Nobody is signed in here.")).to_be_visible(timeout=30_000)
    expect(thief.locator("table")).to_have_count(0)
    thief.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    expect(thief.get_by_text("Nobody is signed in here.")).to_be_visible()


def test_an_account_that_is_disabled_is_out_at_once(world: World, page: Page) -> None:
    tenancy(world.served).set_member("acme", "books", "eve", "viewer")
    sign_in(page, world.served, "eve")
    expect(page.locator("table").first).to_be_visible()
    world.accounts().disable("eve")
    expect(page.get_by_text("Nobody is signed in here.")).to_be_visible(timeout=30_000)
    sign_in(page, world.served, "eve")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    world.accounts().disable("eve", False)
    sign_in(page, world.served, "eve")
    expect(page.locator("table").first).to_be_visible()


@pytest.mark.parametrize(
    "value", ["x", "ada", "'%20or%20true%20--", "A" * 43, "../../etc/passwd", "%00", "%C3%A9", "ada|"]
)
def test_a_forged_cookie_is_nobodys(world: World, page: Page, value: str) -> None:
    page.context.add_cookies([{"name": "controlroom_session", "value": value, "url": world.served.where}])
    page.goto(world.served.where)
    expect(page.get_by_text("Nobody is signed in here.")).to_be_visible()
    assert session_of(page.context) == value
    named = link_of(world, world.ours)
    assert answer(f"{world.served.where}/{named}", f"controlroom_session={value}")[0] == 404


def test_a_sessions_value_is_made_by_signing_in_and_never_taken_over(
    world: World, contexts: list[BrowserContext]
) -> None:
    planted = "A" * 43
    contexts[0].add_cookies([{"name": "controlroom_session", "value": planted, "url": world.served.where}])
    page = contexts[0].new_page()
    sign_in(page, world.served, "ada")
    page.wait_for_selector("table")
    first = session_of(contexts[0])
    assert first != planted
    sign_in(page, world.served, "ada")
    page.wait_for_selector("table")
    # Signing in again ends the session that was open here, and begins another.
    assert session_of(contexts[0]) != first
    [kept] = [each for each in contexts[0].cookies() if each["name"] == "controlroom_session"]
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Lax"
    with psycopg.connect(world.served.operator.url) as connection:
        query = "select count(*) from private.sessions where sha256 = sha256(%s::bytea) and revoked_at is null"
        assert connection.execute(query, [first.encode()]).fetchone() == (0,)


def test_a_link_sets_a_password_once(world: World, contexts: list[BrowserContext]) -> None:
    world.accounts().add("newcomer")
    tenancy(world.served).set_member("acme", "books", "newcomer", "viewer")
    text = world.accounts().add_link("newcomer")
    where = f"{world.served.where}/sign-in/link?of={text}"
    page, second = (context.new_page() for context in contexts)
    for each in (page, second):
        each.goto(where)
        expect(each.get_by_role("heading", name="Set your password")).to_be_visible()
        assert text not in each.content() + each.url
    for password, again, said in [("short", "short", "at least 12"), (PASSWORD, PASSWORD + "x", "differ")]:
        page.evaluate("document.querySelectorAll('input').forEach(each => each.removeAttribute('minlength'))")
        page.get_by_label("Password").fill(password)
        page.get_by_label("Again").fill(again)
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Again").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.locator("table").first).to_be_visible()
    second.get_by_label("Password").fill("a thief's passphrase")
    second.get_by_label("Again").fill("a thief's passphrase")
    second.get_by_role("button").click()
    expect(second.get_by_role("heading", name="This link is no good")).to_be_visible()
    second.goto(where)
    expect(second.get_by_role("heading", name="This link is no good")).to_be_visible()
    sign_in(second, world.served, "newcomer")
    expect(second.locator("table").first).to_be_visible()


def test_guessing_is_slowed_down_for_names_there_are_and_names_there_are_not(world: World) -> None:
    said = {}
    for number, name in enumerate(("mal", "nobody-of-that-name")):
        with ThreadPoolExecutor(8) as guessing:
            guesses = list(
                guessing.map(
                    lambda each, name=name, number=number: post(
                        world.served,
                        "/sign-in",
                        f"203.0.113.{number * 100 + each}",
                        name=name,
                        password=f"guess {each}",
                    )[:2],
                    range(24),
                )
            )
        assert [status for status, _ in guesses].count(401) == 10
        assert [status for status, _ in guesses].count(429) == 14
        said[name] = {re.sub(r'value="[\w-]+"', "", body) for _, body in guesses}
    assert said["mal"] == said["nobody-of-that-name"]
    # Also with the right password, which would tell that it was found.
    status, _, headers = post(world.served, "/sign-in", "203.0.113.250", name="mal", password=PASSWORD)
    assert status == 429
    assert int(headers["Retry-After"]) > 60
    # A link goes past the wait: whoever guesses at a name must not be able to lock its owner out for good.
    text = world.accounts().add_link("mal", timedelta(minutes=5))
    status, _, headers = post(
        world.served, "/sign-in/password", cookie=f"controlroom_link={text}", password=PASSWORD, again=PASSWORD
    )
    assert status == 303
    assert "controlroom_session=" in str(headers.get_all("Set-Cookie"))


def test_a_form_of_another_site_is_refused(world: World) -> None:
    where = f"{world.served.where}/sign-in"
    _, html, headers = answer(where)
    [token] = re.findall(r'name="token" value="([\w-]+)"', html)
    cookie = headers["Set-Cookie"].partition(";")[0]
    body = urllib.parse.urlencode({"token": token, "name": "ada", "password": PASSWORD}).encode()
    assert answer(where, cookie, body, Origin=world.served.where)[0] == 303
    assert answer(where, cookie, body, Origin="https://evil.example")[0] == 400
    assert answer(where, cookie, body, Origin="null")[0] == 400
    assert answer(where, "", body, Origin=world.served.where)[0] == 400
    assert answer(where, cookie.replace(token, "B" * 32), body)[0] == 400
    assert answer(where, cookie, body + b"&x=" + b"y" * 20_000)[0] == 400
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_no_secret_is_in_a_page_or_in_the_log(world: World, contexts: list[BrowserContext]) -> None:
    page = contexts[0].new_page()
    frames: list[bytes | str] = []
    keep = lambda frame: frames.append(frame)  # noqa: E731, PLW0108 - Playwright marks the function that it is given
    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    sign_in(page, world.served, "ada")
    page.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    page.wait_for_selector(".verdict")
    secrets = [(world.served.home / "artifact_links.key").read_text(), session_of(contexts[0]), PASSWORD]
    seen = b"".join(each.encode() if isinstance(each, str) else each for each in frames) + page.content().encode()
    log = (world.served.home / "dashboard.log").read_bytes()
    assert world.ours.secret.encode() in seen
    for secret in secrets:
        assert secret.encode() not in seen
        assert secret.encode() not in log
    assert page.evaluate("document.cookie").find("controlroom_session") == -1
