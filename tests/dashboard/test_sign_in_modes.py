"""Which way of signing in is served where, the first way in, and from where an act is said to have come."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ops.accounts import Accounts
from ops.database import connect
from ops.embedded import Cluster
from tests.controlroom.terminal import Terminal
from tests.dashboard.conftest import Served, serve
from tests.dashboard.people import team
from tests.dashboard.test_sign_in_accounts import answer, post, sign_in

PASSWORD = "seven brown foxes"


def refusal(home: Path, *arguments: str, **settings: str) -> str:
    """What the page says when it refuses to be served."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTROLROOM_")}
    told = subprocess.run(
        [sys.executable, "-m", "dashboard", "--port", "0", *arguments],
        env={**clean, "CONTROLROOM_HOME": str(home), **settings}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert told.returncode == 2, told.stderr
    assert "Traceback" not in told.stderr
    return told.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "control.example"])
def test_without_sign_in_it_is_served_on_loopback_only(tmp_path: Path, host: str) -> None:
    said = refusal(tmp_path, "--host", host)
    assert said.startswith("SETTINGS_INVALID: CONTROLROOM_SIGN_IN=none")
    assert host in said


def test_oidc_says_all_that_it_lacks(tmp_path: Path) -> None:
    said = refusal(tmp_path, CONTROLROOM_SIGN_IN="oidc")
    for name in ("METADATA_URL", "CLIENT_ID", "CLIENT_SECRET"):
        assert f"CONTROLROOM_OIDC_{name}" in said
    given = {
        "CONTROLROOM_SIGN_IN": "oidc",
        "CONTROLROOM_OIDC_METADATA_URL": "https://issuer.example/.well-known/openid-configuration",
        "CONTROLROOM_OIDC_CLIENT_ID": "x",
    }
    said = refusal(tmp_path, **given, CONTROLROOM_OIDC_CLIENT_SECRET="the-secret-itself")
    assert "must be a reference" in said
    assert "the-secret-itself" not in said
    assert "SECRET_MISSING" in refusal(tmp_path, **given, CONTROLROOM_OIDC_CLIENT_SECRET="secret://env/NOT_THERE")
    assert "SETTINGS_INVALID" in refusal(tmp_path, CONTROLROOM_SIGN_IN="anybody")
    assert "CONTROLROOM_PUBLIC_URL" in refusal(tmp_path, CONTROLROOM_PUBLIC_URL="https://a.example/path")


def test_a_name_of_a_strangers_that_points_here_reaches_nothing(served: Served) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    mine = team(served, "default", "local")
    with sync_playwright() as playwright:
        rules = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", rules])
        page = browser.new_page()
        page.goto(f"{served.where}/runs")
        expect(page.locator(f"a[href='run?id={mine.run_id}']")).to_be_visible()
        page.goto(f"{served.where}/runs".replace("127.0.0.1", "rebound.example"))
        page.wait_for_timeout(4000)
        assert mine.secret not in page.content()
        assert page.locator("table").count() == 0
        browser.close()


def test_by_https_every_cookie_is_for_https_only(cluster: Cluster, database: str, tmp_path: Path) -> None:
    settings = {"CONTROLROOM_SIGN_IN": "accounts", "CONTROLROOM_PUBLIC_URL": "https://control.example"}
    for served in serve(cluster, database, tmp_path, **settings):
        with connect(database, autocommit=True) as owner:
            Accounts(owner).add("ada")
            Accounts(owner).set_password("ada", PASSWORD)
        status, _, headers = post(served, "/sign-in", name="ada", password=PASSWORD)
        assert status == 303
        cookies = headers.get_all("Set-Cookie", [])
        [session] = [each for each in cookies if "controlroom_session" in each]
        assert session.startswith("__Host-controlroom_session=")
        assert "Path=/;" in session
        assert "Domain" not in session
        cookies += answer(f"{served.where}/_stcore/host-config")[2].get_all("Set-Cookie", [])
        cookies += answer(f"{served.where}/_stcore/health")[2].get_all("Set-Cookie", [])
        assert any("_streamlit" in each for each in cookies)
        assert [each for each in cookies if "secure" not in each.lower()] == []


@pytest.fixture
def terminal(database: str, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, database, {"CONTROLROOM_SIGN_IN": "accounts"})


def test_the_first_start_prints_a_link_until_somebody_used_it(terminal: Terminal, cluster: Cluster) -> None:
    login = cluster.login_url(terminal.database_url.rsplit("/", 1)[1].partition("?")[0])
    environment = {**terminal.environment, "CONTROLROOM_LOGIN_URL": login}

    def up() -> str:
        # Into a file: the stack inherits what the command has.
        with open(terminal.home / "said", "w+") as said:
            command = [sys.executable, "-m", "controlroom", "up", "--no-ray", "--executors", "1", "--port", "0"]
            subprocess.run(
                command, stdout=said, stderr=said, env=environment, cwd=terminal.home, timeout=100, check=False
            )
            said.seek(0)
            return said.read()

    try:
        found = [re.search(r"first sign-in, .*: (http\S+)\?of=(\S+)", up()) for _ in range(2)]
        assert found[0] is not None
        assert found[1] is not None
        where = found[1][1].removesuffix("/sign-in/link")
        served = Served(where, terminal.home, None)  # type: ignore[arg-type]
        older, newer = (f"controlroom_link={each[2]}" for each in found if each is not None)
        assert answer(f"{where}/sign-in/password", older)[0] == 401
        assert post(served, "/sign-in/password", cookie=newer, password=PASSWORD, again=PASSWORD)[0] == 303
        assert answer(f"{where}/sign-in/password", newer)[0] == 401
        assert "first sign-in" not in up()
        assert post(served, "/sign-in", name="admin", password=PASSWORD)[0] == 303
        logs = b"".join(path.read_bytes() for path in terminal.home.rglob("*.log"))
        assert PASSWORD.encode() not in logs
        assert found[1][2].encode() not in logs
        with psycopg.connect(terminal.database_url) as connection:
            members = connection.execute("select subject, role from ops.memberships").fetchall()
        assert members == [("admin", "admin")]
    finally:
        assert terminal("down").code == 0


def test_accounts_are_administered_from_the_terminal(terminal: Terminal) -> None:
    added = terminal("account", "add", "ada", "--hours", "2")
    assert added.code == 0, added.err
    assert re.match(r"good once, for 2 h: http://127\.0\.0\.1:8501/sign-in/link\?of=[\w-]{43}\n", added.out)
    assert terminal("account", "add", "ada").err.startswith("CONFLICT: ")
    assert terminal("account", "add", "local").err.startswith("BAD_INPUT: ")
    assert terminal("account", "link", "bob").code == 3
    told = subprocess.run(
        [sys.executable, "-m", "controlroom", "account", "password", "ada"],
        input=f"{PASSWORD}\n", env=terminal.environment, cwd=terminal.home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert PASSWORD not in told.stdout + told.stderr
    assert terminal("account", "disable", "ada").out.startswith("ada is disabled")
    assert terminal("account", "link", "ada").err.startswith("ILLEGAL_TRANSITION: ")
    rows = json.loads(terminal("account", "list", "--json").out)
    assert [(row["subject"], row["has_password"], bool(row["disabled_at"])) for row in rows] == [("ada", True, True)]
    assert terminal("account", "enable", "ada").code == 0


def test_an_act_from_the_page_is_in_the_log_with_who_and_from_where(
    cluster: Cluster, database: str, tmp_path: Path, page: Page
) -> None:
    for served in serve(cluster, database, tmp_path, CONTROLROOM_SIGN_IN="accounts"):
        with connect(database, autocommit=True) as owner:
            Accounts(owner).add("ada")
            Accounts(owner).set_password("ada", PASSWORD)
            team(served, "acme", "ada")
            project = served.operator.owner.ensure_project("acme", "books")
            run_id = served.operator.owner.create_run(project, "dev", "demo", {"version": 1}, "5" * 64, "a" * 40, [])
        sign_in(page, served, "ada")
        page.wait_for_selector("table")
        page.goto(f"{served.where}/run?id={run_id}")
        page.get_by_role("button", name="Cancel run…").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
        expect(page.locator(".verdict")).to_contain_text("canceled from the page by ada")
        with psycopg.connect(database) as connection:
            query = "select subject, acting_role, origin from ops.audit_log where target = %s and subject is not null"
            [[subject, role, origin]] = connection.execute(query, [str(run_id)]).fetchall()
        assert (subject, role) == ("ada", "authenticated")
        assert origin["forwarded_for"] == "127.0.0.1"
        assert origin["user_agent"] == page.evaluate("navigator.userAgent")[:200]
