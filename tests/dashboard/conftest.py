"""A page that is served and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from ops.database import EXECUTOR, LOCAL_OPERATOR, connect
from ops.embedded import Cluster
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.operating import Operator
from tests.postgres import Databases

START_SECONDS = 120
# A busy machine draws a page late; what never comes is still seen not to.
expect.set_options(timeout=30_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What stood on the pages when a test failed belongs to its report."""
    report = yield
    if report.when == "call" and report.failed:
        given: dict[str, object] = getattr(item, "funcargs", {})
        several = given.get("contexts")
        pages = [given.get("page"), *(page for context in several or () for page in context.pages)]  # type: ignore[attr-defined]
        for page in pages:
            if isinstance(page, Page):
                report.sections.append((f"page {page.url}", page.locator("body").inner_text(timeout=2_000)))
    return report


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """A page that runs in this process takes the place of ``__main__``; whoever spawns a process later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@dataclass(frozen=True)
class Served:
    """A dashboard on a database of its own.

    Attributes:
        where: its URL.
        settings: environment variables that it has.
    """

    where: str
    home: Path
    operator: Operator
    settings: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def served(
    cluster: Cluster, databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with databases.clone(template) as url:
        yield from serve(cluster, url, tmp_path_factory.mktemp("home"))


def serve(cluster: Cluster, url: str, home: Path, **settings: str) -> Iterator[Served]:
    """The page on a migrated database of ``cluster``; ``settings`` are further environment variables."""
    with connect(url, autocommit=True) as owner, connect(url, EXECUTOR, autocommit=True) as executing:
        rpc = Rpc(owner)
        rpc.ensure_project("default", "demo")
        Tenancy(owner).set_member("default", "demo", LOCAL_OPERATOR, "admin")
        operator = Operator(url, rpc, Rpc(executing), uuid.uuid4())
        operator.executor.register_executor(operator.executor_id, "tester", slots=4, host="here", version="0")
        ours = {
            "CONTROLROOM_HOME": str(home),
            "CONTROLROOM_DATABASE_URL": url,
            "CONTROLROOM_LOGIN_URL": cluster.login_url(url.rsplit("/", 1)[1].partition("?")[0]),
            **settings,
        }
        with _serving({**os.environ, **ours}, home) as where:
            yield Served(where, home, operator, ours)


class _serving:  # noqa: N801 - reads as a verb
    """The page's process; it is ended by its own id."""

    def __init__(self, environment: dict[str, str], home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.said = home / "dashboard.log"
        with open(self.said, "w") as said:
            command = [sys.executable, "-m", "dashboard", "--port", str(self.port)]
            self.process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)

    def __enter__(self) -> str:
        where = f"http://127.0.0.1:{self.port}"
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{where}/_stcore/health", timeout=2):
                    return where
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        pytest.fail(f"the dashboard did not start: {self.said.read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine; `make test` installs it where it may")
    with sync_playwright() as playwright:
        # Without its own sandbox: as root chromium refuses to start otherwise, and it only sees our loopback page.
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Watched:
    """What a page did beside being drawn."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(
        color_scheme=request.param, viewport={"width": 1400, "height": 1000}, timezone_id="UTC"
    )
    watched = Watched(context.new_page())

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error":
            watched.complaints.append(message.text)

    watched.page.on("console", complain)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on("request", lambda asked: watched.hosts.add(asked.url.split("/")[2]))
    yield watched
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, timezone_id="UTC")
    yield context.new_page()
    context.close()
