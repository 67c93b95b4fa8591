"""Postgres goes away under an open page, and comes back."""

from __future__ import annotations

import os
import signal
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from migrations.apply import migrate
from ops import embedded
from tests.dashboard.conftest import Served, serve


def test_what_goes_wrong_is_tried_again_where_it_stands(page: Page, served: Served) -> None:
    broken = "alter function private.is_installation_admin() rename to broken"
    mended = "alter function private.broken() rename to is_installation_admin"
    with psycopg.connect(served.operator.url, autocommit=True) as owner:
        owner.execute(broken)
        try:
            page.goto(f"{served.where}/fleet")
            expect(page.get_by_role("alert")).to_contain_text("is_installation_admin() does not exist")
            page.get_by_role("button", name="Load again").click()
            page.wait_for_timeout(500)
            expect(page.get_by_role("alert")).to_contain_text("is_installation_admin() does not exist")
        finally:
            owner.execute(mended)
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_text("Take an executor out of work")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("button", name="Load again")).to_have_count(0)
    page.goto(f"{served.where}/run?id={UUID(int=7)}")
    expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
    expect(page.get_by_role("button", name="Load again")).to_have_count(0)


def test_what_stands_below_a_part_that_failed_comes_back_with_it(page: Page, served: Served) -> None:
    with psycopg.connect(served.operator.url, autocommit=True) as owner:
        owner.execute("alter table ops.executors rename column labels to broken")
        try:
            page.goto(f"{served.where}/fleet")
            expect(page.get_by_role("alert")).to_contain_text("labels does not exist")
            expect(page.get_by_text("Take an executor out of work")).to_have_count(0)
        finally:
            owner.execute("alter table ops.executors rename column broken to labels")
    # By the part's own next look.
    expect(page.get_by_text("Take an executor out of work")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_open_page_says_that_postgres_is_gone_and_goes_on_when_it_is_back(
    page: Page, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cluster = embedded.ensure(tmp_path_factory.mktemp("cluster"))
    try:
        migrate(cluster.url())
        for served in serve(cluster, cluster.url(), tmp_path_factory.mktemp("home")):
            page.goto(f"{served.where}/runs")
            expect(page.locator(".tile", has_text="queued").locator(".value")).to_have_text("0")
            asking = page.context.new_page()
            asking.goto(f"{served.where}/sql")
            expect(asking.get_by_role("textbox", name="SQL", exact=True)).to_be_visible()
            pid = cluster.pid()
            assert pid is not None
            os.kill(pid, signal.SIGQUIT)
            expect(page.get_by_role("alert").first).to_contain_text("Postgres", timeout=40_000)
            other = page.context.new_page()
            other.goto(f"{served.where}/pipelines")
            expect(other.get_by_role("alert").first).to_contain_text("Postgres", timeout=30_000)
            asking.get_by_role("textbox", name="SQL", exact=True).fill("select 1 as one")
            asking.get_by_role("button", name="Run", exact=True).click()
            expect(asking.get_by_role("alert").first).to_contain_text("Postgres", timeout=30_000)
            cluster = embedded.ensure(cluster.home)
            # What was typed is still there.
            expect(asking.get_by_role("textbox", name="SQL", exact=True)).to_have_value(
                "select 1 as one", timeout=40_000
            )
            expect(asking.get_by_role("alert")).to_have_count(0)
            expect(other.get_by_text("No pipeline is known here yet.")).to_be_visible(timeout=30_000)
            expect(other.get_by_role("alert")).to_have_count(0)
            expect(page.get_by_role("alert")).to_have_count(0, timeout=40_000)
            expect(page.locator(".tile", has_text="queued").locator(".value")).to_have_text("0")
    finally:
        cluster.stop()
