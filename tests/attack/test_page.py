"""Everybody at the page: others' runs by their address, others' artifacts by links of every kind."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from dashboard.data.keys import key
from dashboard.data.links import LIFETIME_SECONDS, Named, link
from ops.accounts import Accounts
from ops.database import connect
from ops.embedded import Cluster
from tests.attack.population import Population, Scope
from tests.attack.tally import Tally
from tests.dashboard.conftest import Served, browser, serve
from tests.dashboard.test_sign_in_accounts import PASSWORD, answer, session_of, sign_in

__all__ = ["browser"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TRYING = ("viewer@acme+books+dev", "admin@acme+books+prod", "editor@rivals+stock", "nobody")
SIGNED_OUT = ""


@pytest.fixture(scope="module")
def page_of(cluster: Cluster, population: Population, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with connect(population.url, autocommit=True) as owner:
        for name in TRYING:
            Accounts(owner).add(name)
            Accounts(owner).set_password(name, PASSWORD)
    yield from serve(cluster, population.url, tmp_path_factory.mktemp("home"), CONTROLROOM_SIGN_IN="accounts")


@pytest.fixture(scope="module")
def cookies(page_of: Served, browser: Browser) -> dict[str, str]:
    """Subject → cookie of a session; nobody's for who is signed out."""
    found = {SIGNED_OUT: ""}
    for name in TRYING:
        context = browser.new_context()
        sign_in(context.new_page(), page_of, name)
        context.pages[0].wait_for_url(f"{page_of.where}/")
        found[name] = session_of(context)
        context.close()
    return found


def links(secret: str, scope: Scope, subject: str) -> dict[str, str]:
    named = Named(scope.ended, scope.artifact, scope.sha256)
    good = link(secret, named, subject)
    return {
        "signed for oneself": good,
        "signed for anybody": link(secret, named, None),
        "signed for the owner": link(secret, named, f"admin@{scope.org}+{scope.project}"),
        "signed with another key": link("k" * 64, named, subject),
        "that is over": link(secret, named, subject, now=time.time() - LIFETIME_SECONDS - 60),
        "without a signature": good.partition("?")[0],
        "with a bent signature": good[:-4] + "beef",
        "with a path upwards": good.replace(str(scope.artifact), f"..%2f{scope.artifact}"),
        "of a file": good.replace(str(scope.artifact), "..%2f..%2f..%2fetc%2fpasswd"),
    }


def test_no_link_gives_anothers_artifact(
    population: Population, tally: Tally, page_of: Served, cookies: dict[str, str]
) -> None:
    secret = key(page_of.home, "artifact_links.key")
    people = {person.subject: person for person in population.people}
    said: set[tuple[int, str]] = set()
    for subject, cookie in cookies.items():
        for scope in population.scopes:
            if subject in people and people[subject].may_see(scope):
                continue
            for kind, path in links(secret, scope, subject).items():
                status, body, _ = answer(f"{page_of.where}/{path.lstrip('/')}", f"controlroom_session={cookie}")
                said.add((status, body if status == 404 else ""))
                tally.tried(status < 400, f"{subject or 'somebody'} gets {scope.mark} by a link {kind}: {status}")
    assert tally.attempts > 300
    mine = next(scope for scope in population.scopes if people[TRYING[0]].may_see(scope))
    own = links(secret, mine, TRYING[0])["signed for oneself"]
    status, body, _ = answer(f"{page_of.where}/{own.lstrip('/')}", f"controlroom_session={cookies[TRYING[0]]}")
    # Its bytes were never stored: this far comes only whoever may have them.
    assert (status, "is not an artifact of" in body) == (503, True), (status, body)
    # Whatever is wrong, the answer tells nothing; signed out is told apart, and a path that is none of ours is Streamlit's.
    assert len({body for status, body in said if status == 404}) <= 2, said


def test_no_address_shows_anothers_run(
    population: Population, tally: Tally, page_of: Served, browser: Browser, cookies: dict[str, str]
) -> None:
    people = {person.subject: person for person in population.people}
    for subject in TRYING[:3]:
        context = browser.new_context()
        context.add_cookies([{"name": "controlroom_session", "value": cookies[subject], "url": page_of.where}])
        page = context.new_page()
        mine = next(scope for scope in population.scopes if people[subject].may_see(scope))
        page.goto(f"{page_of.where}/run?id={mine.ended}")
        page.get_by_text(mine.mark).first.wait_for()
        for scope in population.scopes:
            if people[subject].may_see(scope):
                continue
            for address in (f"run?id={scope.ended}", f"?org={scope.org}&project={scope.project}&env={scope.env}"):
                page.goto(f"{page_of.where}/{address}")
                page.locator("[data-testid=stApp]").wait_for()
                page.wait_for_timeout(700)
                tally.tried(scope.mark in page.content(), f"{subject} sees {scope.mark} at {address}")
        context.close()
