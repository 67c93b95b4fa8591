"""Alerts from the terminal: a channel is set up and tried, a run fails, somebody sees to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compute.receiving import ROOT, Arrived, free_port, received, receiver
from tests.controlroom.terminal import Terminal

BROKEN = """\
version: 1
pipeline: broken
owner: "@data-owners"
phases:
  - name: read
    kind: query
    inputs: {missing: silver.missing}
    sql: select * from missing
"""


@pytest.fixture
def hook(terminal: Terminal, tmp_path: Path) -> Iterator[Path]:
    """The log of a webhook that takes messages for whoever answers for pipelines; a steward and an executor work."""
    port, log = free_port(), tmp_path / "received"
    (terminal.home / "secrets").mkdir(exist_ok=True)
    (terminal.home / "secrets" / "hook").write_text(f"json://127.0.0.1:{port}")
    (terminal.home / "broken.yaml").write_text(BROKEN)
    steward = subprocess.Popen([sys.executable, "-m", "compute.steward"], cwd=ROOT, env=terminal.environment)
    executor = terminal.start("executor", "--slots", "1")
    try:
        with receiver("webhook", port, log):
            yield log
    finally:
        steward.terminate()
        steward.wait()
        executor.terminate()
        executor.communicate()


def done(terminal: Terminal, *arguments: str) -> str:
    answer = terminal(*arguments)
    assert answer.code == 0, answer.err
    return answer.out.strip()


def rows(terminal: Terminal, *arguments: str) -> Any:
    return json.loads(done(terminal, *arguments, "--json"))


def told(log: Path, words: str) -> list[Arrived]:
    return [each for each in received(log) if words in each.text]


def test_somebody_is_told_and_sees_to_it(terminal: Terminal, hook: Path) -> None:
    refused = terminal("channel", "set", "hook", "json://127.0.0.1")
    assert (refused.code, "secret://" in refused.err) == (2, True)
    done(terminal, "channel", "set", "hook", "secret://file/hook", "--owner", "@data-owners")
    assert done(terminal, "channel", "test", "hook") == "delivered to hook"
    assert len(told(hook, "A test of channel hook")) == 1
    done(terminal, "alert", "rule", "set", "Run failed", "--gather", "10ms")
    done(terminal, "alert", "rule", "set", "Score is low", "--off")
    done(terminal, "route", "set", "night", "--match", "env=dev", "--primary", "@data-owners", "--escalate", "30m:secondary",
         "--priority", "1")  # fmt: skip
    [route] = [each for each in rows(terminal, "route", "list") if each["area"] == "night"]
    assert route["then"] == "30 min secondary"

    assert terminal("run", "submit", str(terminal.home / "broken.yaml"), "--watch").code == 1
    alert = wait_for_alert(terminal)
    assert (alert["rule"], alert["state"]) == ("Run failed", "open")
    wait_until_told(terminal, alert["alert_id"])
    assert len(told(hook, "Run failed: broken in dev")) == 1
    done(terminal, "alert", "ack", alert["alert_id"][-8:])
    shown = done(terminal, "alert", "show", alert["alert_id"])
    assert "acknowledged" in shown
    assert "delivered" in shown
    assert terminal("alert", "ack", "nothing").code == 3

    silence = done(terminal, "alert", "mute", "Run failed", "--for", "2h", "--reason", "known")
    [listed] = rows(terminal, "alert", "silence", "list")
    assert (listed["silence_id"], listed["rule"], listed["reason"]) == (silence, "Run failed", "known")
    done(terminal, "alert", "silence", "end", silence)
    assert rows(terminal, "alert", "silence", "list") == []


def wait_for_alert(terminal: Terminal) -> Any:
    for _ in range(100):
        for alert in rows(terminal, "alert", "list"):
            return alert
    raise AssertionError("a run failed, and no alert says so")


def wait_until_told(terminal: Terminal, alert: str) -> None:
    for _ in range(100):
        [message] = rows(terminal, "alert", "show", alert)["messages"]
        if message["state"] == "delivered":
            return
    raise AssertionError(message)
