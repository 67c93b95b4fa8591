"""Members, tokens, roles and the log: first without a page, then in a browser, as an admin and as a viewer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from dashboard.views.access import (
    address_of,
    audit_lines,
    changed,
    is_good,
    member_label,
    position,
    role_words,
    token_lines,
)
from ops.access_reads import AuditEntry
from ops.database import AUTHENTICATED, LOCAL_OPERATOR, acting_as, connect
from ops.errors import NotAllowed
from ops.tenancy import ENVS, MemberRow, Tenancy, TokenRow
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.people import as_role, tenancy
from tests.dashboard.test_views import NOW

TOKEN = TokenRow(
    "ci", "ada", "viewer", None, None, ENVS, NOW - timedelta(days=3), NOW + timedelta(days=27), None,
    NOW - timedelta(hours=2),
)  # fmt: skip
ENTRY = AuditEntry(
    UUID(int=1), NOW - timedelta(hours=1), "books", "ada", "authenticated", "memberships.update", str(UUID(int=2)),
    {"role": "viewer", "subject": "bob"}, {"role": "admin", "subject": "bob"}, {"forwarded_for": "10.0.0.7"}, None,
)  # fmt: skip


def test_tokens_that_are_good_come_first_and_the_others_say_why_not() -> None:
    expired = replace(TOKEN, name="old", expires_at=NOW - timedelta(days=1))
    revoked = replace(TOKEN, name="lost", revoked_at=NOW - timedelta(hours=1), last_used_at=None)
    lines = token_lines([expired, revoked, TOKEN], NOW)
    assert [(line.name, line.state, line.used) for line in lines] == [
        ("ci", "good for 27 d", "2 h ago"), ("old", "expired 1 d ago", "2 h ago"), ("lost", "revoked 1 h ago", "never"),
    ]  # fmt: skip
    assert [(line.state_exact, line.used_exact) for line in lines[1:]] == [
        ("2026-02-28 12:00:00 UTC", "2026-03-01 10:00:00 UTC"), ("2026-03-01 11:00:00 UTC", ""),
    ]  # fmt: skip
    assert [is_good(each, NOW) for each in (TOKEN, expired, revoked)] == [True, False, False]


def test_a_role_is_told_once_where_it_is_the_same_everywhere() -> None:
    assert role_words(dict.fromkeys(ENVS, "admin")) == "admin"
    assert role_words({"prod": "viewer", "dev": "editor"}) == "editor in dev, viewer in prod"
    assert role_words({"dev": "editor"}) == "editor in dev"


def test_the_log_says_what_changed_and_nothing_else() -> None:
    assert changed(ENTRY.before, ENTRY.after) == ["role: viewer → admin"]
    made = {"id": "x", "created_at": "now", "role": "viewer", "envs": ["dev", "prod"], "note": "", "project_id": None}
    assert changed(None, made) == changed(made, None) == ["role: viewer", "envs: dev, prod"]
    assert changed({}, {"note": "n" * 500}) == [f"note: nothing → {'n' * 59}…"]
    run, member = audit_lines([replace(ENTRY, action="runs.cancel"), ENTRY], NOW)
    assert (run.run_id, member.run_id) == (str(UUID(int=2)), "")
    assert (member.target, member.origin) == (str(UUID(int=2))[-12:], "10.0.0.7")
    assert audit_lines([replace(ENTRY, subject=None, target="secret://env/X")], NOW)[0].target == "secret://env/X"


def test_a_place_in_the_log_goes_through_an_address_and_back() -> None:
    assert position(address_of(ENTRY)) == (ENTRY.at, ENTRY.id)
    assert [position(each) for each in (None, "", "yesterday_5")] == [None] * 3


def test_a_member_is_chosen_by_who_and_where() -> None:
    row = MemberRow("acme", None, "ada", "admin", ENVS, NOW)
    assert member_label(row) == "ada, admin of acme (all projects)"
    assert member_label(replace(row, project="books")) == "ada, admin of acme/books"


def open_part(page: Page, served: Served, part: str) -> None:
    page.goto(f"{served.where}/settings?part={part.replace(' ', '+')}")
    page.wait_for_selector("table")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("dialog").get_by_label(label).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_an_admin_adds_changes_and_removes_a_member(watched: Watched, served: Served) -> None:
    page = watched.page
    open_part(page, served, "Members")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add or change…").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("p_subject")
    dialog.get_by_label("Who").fill("grace")
    choose(page, "Role", "editor")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("grace is editor of default/demo.")).to_be_visible()
    expect(page.locator("tr", has_text="grace")).to_contain_text("editor")
    page.get_by_role("button", name="Remove…").click()
    choose(page, "Who", "grace, editor of default/demo")
    expect(dialog).to_contain_text("ends with their next click")
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("grace is no member of default/demo any more.")).to_be_visible()
    expect(page.locator("td", has_text="grace")).to_have_count(0)
    page.get_by_text("Audit log").click()
    expect(page.locator("tr", has_text="memberships.delete").first).to_contain_text("subject: grace")
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []


def test_a_token_is_shown_once_works_and_is_revoked(page: Page, served: Served) -> None:
    open_part(page, served, "My tokens")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Make one…").click()
    dialog.get_by_label("Name").fill("ci")
    dialog.get_by_role("button", name="Make", exact=True).click()
    text = dialog.locator("code").inner_text().strip()
    assert text.startswith("crt_")
    page.keyboard.press("Escape")
    row = page.locator("tr", has_text="ci")
    expect(row.locator(".pill")).to_contain_text("good for")
    assert text not in page.content()
    with psycopg.connect(served.operator.url) as connection:
        query = """
            select t.subject from private.access_token_hashes h
            join ops.access_tokens t on t.id = h.token_id
            where h.sha256 = sha256(%s)
        """
        assert connection.execute(query, [text.encode()]).fetchone() == (LOCAL_OPERATOR,)
    page.get_by_role("button", name="Revoke…").click()
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("ci is revoked.")).to_be_visible()
    expect(row.locator(".pill")).to_contain_text("revoked")
    expect(page.get_by_role("button", name="Revoke…")).to_be_disabled()


def test_a_viewer_is_told_who_may_and_the_database_refuses_all_the_same(page: Page, served: Served) -> None:
    with as_role(served, "viewer"):
        open_part(page, served, "Members")
        expect(page.get_by_text("You see your own memberships.")).to_be_visible()
        for name in ("Add or change…", "Remove…"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
        open_part(page, served, "Projects")
        expect(page.locator("tr", has_text="default/demo")).to_contain_text("viewer")
        open_part(page, served, "Secrets")
        expect(page.get_by_text("None that you may see.")).to_be_visible()
        open_part(page, served, "Audit log")
        expect(page.get_by_text("You see what you did yourself")).to_be_visible()
        with (
            connect(served.operator.url, autocommit=True) as raw,
            pytest.raises(NotAllowed),
            acting_as(raw, AUTHENTICATED, {"sub": LOCAL_OPERATOR}) as asking,
        ):
            Tenancy(asking).set_member("default", "demo", "eve", "admin")


def test_promotions_and_an_empty_log_say_what_to_do(page: Page, served: Served) -> None:
    open_part(page, served, "Promotions")
    expect(page.get_by_text("Nothing was promoted yet.")).to_be_visible()
    tenancy(served).set_member("default", "demo", "zoe", "viewer")
    page.goto(f"{served.where}/settings?part=Audit+log&what=MEMBERSHIPS.insert&age=last+day")
    expect(page.locator("tr", has_text="subject: zoe")).to_be_visible()
    page.goto(f"{served.where}/settings?part=Audit+log&who=nobody")
    expect(page.get_by_text("Nothing like that was done in that time.")).to_be_visible()
