"""Sign-in with a real OpenID provider on loopback and a real browser, and with a provider that cheats."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from itsdangerous import URLSafeTimedSerializer
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.sign_in.oidc import identify
from ops.embedded import Cluster
from tests.dashboard.conftest import Served, serve
from tests.dashboard.people import Team, team, tenancy
from tests.dashboard.test_sign_in_accounts import answer
from tests.postgres import Databases

CLIENT_SECRET = "not-for-anybodys-eyes-4711"
SIGNED_OUT = "button:has-text('Sign in')"


@contextmanager
def providing(folder: Path, seconds: float) -> Iterator[str]:
    """A provider whose id tokens are good for so long; its issuer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "tests.dashboard.provider", str(port), str(seconds)]
    with open(folder / "provider.log", "w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/.well-known/openid-configuration", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"the provider did not start: {(folder / 'provider.log').read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class World:
    served: Served
    issuer: str
    ours: Team
    theirs: Team


@contextmanager
def world_of(cluster: Cluster, url: str, home: Path, seconds: float) -> Iterator[World]:
    with providing(home, seconds) as issuer:
        settings = {
            "CONTROLROOM_SIGN_IN": "oidc",
            "CONTROLROOM_OIDC_METADATA_URL": f"{issuer}/.well-known/openid-configuration",
            "CONTROLROOM_OIDC_CLIENT_ID": "control-room",
            "CONTROLROOM_OIDC_CLIENT_SECRET": "secret://env/OIDC_CLIENT_SECRET",
            "CONTROLROOM_SECRET_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }
        for served in serve(cluster, url, home, **settings):
            ours, theirs = team(served, "acme", f"{issuer}|ada"), team(served, "rivals", f"{issuer}|bob")
            yield World(served, issuer, ours, theirs)


@pytest.fixture(scope="module")
def world(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with databases.clone(template) as url, world_of(cluster, url, tmp_path_factory.mktemp("home"), 3600) as made:
        yield made


@pytest.fixture
def contexts(browser: Browser) -> Iterator[list[BrowserContext]]:
    made = [browser.new_context(viewport={"width": 1400, "height": 1000}) for _ in range(2)]
    yield made
    for each in made:
        each.close()


@pytest.fixture
def cheat(world: World) -> Iterator[str]:
    yield f"{world.issuer}/cheat"
    put(f"{world.issuer}/cheat", b"")


def put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass


def sign_in(page: Page, served: Served, sub: str, path: str = "") -> None:
    page.goto(served.where + path)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_placeholder("sub").fill(sub)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{served.where}/**")


def user_cookie(context: BrowserContext) -> str:
    return "; ".join(
        f"{each['name']}={each['value']}" for each in context.cookies() if "streamlit" in str(each["name"])
    )


def test_two_people_of_the_provider_see_their_own(world: World, contexts: list[BrowserContext]) -> None:
    pages = [context.new_page() for context in contexts]
    for page, mine, other, sub in zip(
        pages, (world.ours, world.theirs), (world.theirs, world.ours), ("ada", "bob"), strict=True
    ):
        sign_in(page, world.served, sub)
        page.get_by_role("link", name="Runs", exact=True).first.click()
        expect(page.locator(f"a[href='run?id={mine.run_id}']")).to_be_visible()
        assert other.secret not in page.content()
        page.goto(f"{world.served.where}/run?id={other.run_id}")
        expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
        page.goto(f"{world.served.where}/run?id={mine.run_id}")
        link = page.get_by_role("link", name=f"{mine.secret}.csv")
        with page.expect_download() as begun:
            link.click()
        assert begun.value.path().read_text() == mine.secret
    path = str(pages[0].get_by_role("link", name=f"{world.ours.secret}.csv").get_attribute("href"))
    where = f"{world.served.where}/{path}"
    assert answer(where, user_cookie(contexts[0]))[:2] == (200, world.ours.secret)
    assert answer(where, user_cookie(contexts[1]))[0] == 404
    assert answer(where)[0] == 404


def test_a_person_without_a_membership_is_told_so_and_nothing_else(world: World, page: Page) -> None:
    sign_in(page, world.served, "stranger")
    expect(page.get_by_text("You belong to no project yet")).to_be_visible()
    expect(page.locator("[role=status]")).to_have_text([f"{world.issuer}|stranger"])
    for path in (f"/run?id={world.ours.run_id}", "/trigger"):
        page.goto(world.served.where + path)
        expect(page.get_by_text("You belong to no project yet")).to_be_visible()
        assert page.locator("table, .tile, [data-testid=stSelectbox]").count() == 0
        assert world.ours.secret not in page.content()
    tenancy(world.served).set_member("acme", "books", f"{world.issuer}|stranger", "viewer")
    page.goto(f"{world.served.where}/runs")
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    tenancy(world.served).remove_member("acme", "books", f"{world.issuer}|stranger")
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_have_count(0, timeout=30_000)


def test_signing_out_ends_every_copy_of_the_cookie(world: World, contexts: list[BrowserContext]) -> None:
    page, thief = (context.new_page() for context in contexts)
    sign_in(page, world.served, "ada")
    page.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    path = str(page.get_by_role("link", name=f"{world.ours.secret}.csv").get_attribute("href"))
    stolen = user_cookie(contexts[0])
    contexts[1].add_cookies(
        [
            {"name": str(each["name"]), "value": str(each["value"]), "url": world.served.where}
            for each in contexts[0].cookies()
        ]
    )
    thief.goto(f"{world.served.where}/runs")
    expect(thief.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    assert answer(f"{world.served.where}/{path}", stolen)[0] == 200
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    page.wait_for_url(f"{world.served.where}/**")
    expect(page.locator(SIGNED_OUT)).to_be_visible()
    assert user_cookie(contexts[0]).count("_streamlit_user") == 0
    # Streamlit would let the copy in for another month; Postgres does not.
    expect(thief.locator(SIGNED_OUT)).to_be_visible(timeout=30_000)
    expect(thief.locator("table")).to_have_count(0)
    thief.goto(world.served.where)
    expect(thief.locator(SIGNED_OUT)).to_be_visible()
    assert answer(f"{world.served.where}/{path}", stolen)[0] == 404
    sign_in(page, world.served, "ada")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()


@pytest.mark.parametrize("how", ["payload", "none"])
def test_a_tampered_id_token_signs_nobody_in(world: World, cheat: str, page: Page, how: str) -> None:
    put(cheat, how.encode())
    sign_in(page, world.served, "ada")
    expect(page.locator(SIGNED_OUT)).to_be_visible()
    put(cheat, b"")
    sign_in(page, world.served, "ada")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()


def test_a_forged_cookie_is_nobodys(world: World, contexts: list[BrowserContext]) -> None:
    claims = (
        f'{{"iss": "{world.issuer}", "sub": "ada", "exp": {int(time.time()) + 3600}, "is_logged_in": true, '
        f'"origin": "{world.served.where}", "provider": "default"}}'
    )
    page = contexts[0].new_page()
    for secret in ("", "guess", CLIENT_SECRET):
        value = str(URLSafeTimedSerializer(secret, salt="_streamlit_user").dumps(claims))
        contexts[0].add_cookies([{"name": "_streamlit_user", "value": value, "url": world.served.where}])
        page.goto(world.served.where)
        expect(page.locator(SIGNED_OUT)).to_be_visible()
        assert page.locator("table").count() == 0
    # With the page's own secret the same cookie is taken: the attempts above fail by their signature alone.
    key = (world.served.home / "page_cookie.key").read_text()
    value = str(URLSafeTimedSerializer(key, salt="_streamlit_user").dumps(claims))
    contexts[0].add_cookies([{"name": "_streamlit_user", "value": value, "url": world.served.where}])
    page.goto(f"{world.served.where}/runs")
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    assert (world.served.home / "page_cookie.key").stat().st_mode & 0o777 == 0o600


def test_an_answer_that_nobody_asked_the_provider_for_signs_nobody_in(world: World, page: Page) -> None:
    page.goto(f"{world.served.where}/oauth2callback?code=stolen&state=invented")
    page.wait_for_url(f"{world.served.where}/")
    expect(page.locator(SIGNED_OUT)).to_be_visible()


def test_no_secret_is_in_a_page_or_in_the_log(world: World, page: Page) -> None:
    frames: list[bytes | str] = []
    keep = lambda frame: frames.append(frame)  # noqa: E731, PLW0108 - Playwright marks the function that it is given
    page.on("websocket", lambda socket: socket.on("framereceived", keep))
    sign_in(page, world.served, "ada")
    page.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    page.wait_for_selector(".verdict")
    seen = b"".join(each.encode() if isinstance(each, str) else each for each in frames) + page.content().encode()
    log = (world.served.home / "dashboard.log").read_bytes()
    assert world.ours.secret.encode() in seen
    for name in ("page_cookie.key", "artifact_links.key"):
        secret = (world.served.home / name).read_bytes()
        assert secret not in seen + log
    assert CLIENT_SECRET.encode() not in seen + log
    assert "_streamlit_user" not in page.evaluate("document.cookie")


def test_a_browser_that_was_closed_and_opened_again_is_still_signed_in(world: World, page: Page) -> None:
    sign_in(page, world.served, "ada")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
    # Of Streamlit's two cookies this one ends with the browser.
    page.context.clear_cookies(name="_streamlit_xsrf")
    page.goto(f"{world.served.where}/run?id={world.ours.run_id}")
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator(SIGNED_OUT)).to_have_count(0)


def test_an_expired_id_token_signs_out(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    home = tmp_path_factory.mktemp("short")
    with databases.clone(template) as url, world_of(cluster, url, home, 20) as world:
        sign_in(page, world.served, "ada")
        page.get_by_role("link", name="Runs", exact=True).first.click()
        expect(page.locator(f"a[href='run?id={world.ours.run_id}']")).to_be_visible()
        cookie = user_cookie(page.context)
        # The page is left alone, and says by itself that it is over.
        expect(page.locator(SIGNED_OUT)).to_be_visible(timeout=40_000)
        expect(page.locator("table")).to_have_count(0)
        page.context.clear_cookies()
        for each in cookie.split("; "):
            name, _, value = each.partition("=")
            page.context.add_cookies([{"name": name, "value": value, "url": world.served.where}])
        page.goto(world.served.where)
        expect(page.locator(SIGNED_OUT)).to_be_visible()


def test_the_subject_is_the_issuers_and_an_address_counts_when_verified() -> None:
    claims = {"is_logged_in": True, "iss": "https://one.example", "sub": "7", "exp": 4e9, "email": "a@b.example"}
    one = identify(claims)
    other = identify({**claims, "iss": "https://two.example"})
    assert one is not None
    assert other is not None
    assert one.subject == "https://one.example|7"
    assert other.subject == "https://two.example|7"
    assert one.email is None
    verified = identify({**claims, "email_verified": True})
    assert verified is not None
    assert verified.email == "a@b.example"
    assert (one.login, one.login) != (verified.login, other.login)
    for missing in ("is_logged_in", "iss", "sub", "exp"):
        assert identify({name: value for name, value in claims.items() if name != missing}) is None
    for name, value in [
        ("is_logged_in", "yes"),
        ("iss", "local"),
        ("iss", 1),
        ("sub", ""),
        ("sub", 7),
        ("exp", "never"),
    ]:
        assert identify({**claims, name: value}) is None
