"""The catalog from the terminal: a real run fills it, people add what they know, and personal data stays with editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from controlroom.cli import app, exit_code
from ops.embedded import Cluster
from ops.errors import ControlRoomError
from tests.controlroom.terminal import Answer, Terminal

SPEC = """\
version: 1
pipeline: grown_ups
owner: "@data-owners"
phases:
  - name: adults
    kind: transform
    inputs: {people: silver.people}
    sql: select upper(name) as who, age, age / 10 as decade from people where age >= 40
    output: {table: silver.adults, key: [who], mode: replace}
  - name: decades
    kind: transform
    inputs: {adults: silver.adults}
    sql: select decade, count(*) as n, max(who) as last_one from adults group by decade
    output: {table: gold.decades, key: [decade], mode: replace}
"""


class Quick(Terminal):
    """The same command within this process: a start for each call would be most of the test."""

    def __call__(self, *arguments: str) -> Answer:
        done = CliRunner().invoke(app, list(arguments), env=self.environment)
        if isinstance(error := done.exception, ControlRoomError):
            return Answer(exit_code(error), done.stdout, f"{error.code}: {error.message}")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)


def done(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out.strip()


def rows(answer: Answer) -> Any:
    return json.loads(done(answer))


@pytest.fixture
def filled(terminal: Terminal, people: Path) -> Iterator[Terminal]:
    (terminal.home / "grown_ups.yaml").write_text(SPEC)
    quick = Quick(terminal.home, terminal.database_url)
    executor = terminal.start("executor", "--slots", "1")
    try:
        watched = quick("run", "submit", str(terminal.home / "grown_ups.yaml"), "--watch")
        assert watched.code == 0, watched.out + watched.err
        yield quick
    finally:
        executor.kill()
        executor.communicate()


def test_a_run_fills_the_catalog_and_people_say_the_rest(filled: Terminal, cluster: Cluster) -> None:
    edges = rows(filled("lineage", "show", "gold.decades", "--column", "last_one", "--format", "json"))
    assert [(each["output"], each["source"], each["how"]) for each in edges if each["how"] in (
        "aggregation", "transformation", "identity", "filter")] == [
        ("gold.decades.last_one", "silver.adults.who", "aggregation"),
        ("silver.adults.decade", "silver.people.age", "filter"),
        ("silver.adults.decade", "silver.people.age", "transformation"),
        ("silver.adults.who", "silver.people.age", "filter"),
        ("silver.adults.who", "silver.people.name", "transformation"),
    ]  # fmt: skip
    tree = done(filled("lineage", "show", "gold.decades"))
    assert tree.splitlines() == ["gold.decades", "└─ silver.adults", "   └─ silver.people"]
    mermaid = done(filled("lineage", "show", "silver.people", "--downstream", "--format", "mermaid"))
    assert '["silver.people"]' in mermaid and mermaid.count("-->") == 2
    changes = rows(filled("dataset", "history", "silver.adults", "--json"))
    assert {(each["change"], each["column"], each["version"]) for each in changes} == {
        ("added", "who", 0), ("added", "age", 0), ("added", "decade", 0),
    }  # fmt: skip

    done(filled("dataset", "owner", "silver.adults", "@people-team"))
    done(filled("dataset", "describe", "silver.adults", "Who may vote."))
    done(filled("dataset", "tag", "silver.adults", "hr", "--column", "who"))
    done(filled("dataset", "pii", "silver.adults", "who"))
    shown = rows(filled("dataset", "show", "silver.adults", "--json"))
    assert (shown["owners"], shown["description"]) == (["@people-team"], "Who may vote.")
    assert shown["notes"]["who"] == {"description": "", "tags": ["hr"], "pii": "yes", "pii_from": None}
    assert filled("dataset", "pii", "silver.adults", "nowhere").code == 3
    gold = rows(filled("dataset", "show", "gold.decades", "--json"))
    assert gold["notes"] == {
        "last_one": {"description": "", "tags": [], "pii": "suspected", "pii_from": "silver.adults.who"}
    }
    _editors_alone_see_personal_data(filled, cluster)


def _editors_alone_see_personal_data(filled: Terminal, cluster: Cluster) -> None:
    holder = cluster.token_url(str(conninfo_to_dict(filled.database_url)["dbname"]))
    seen = {}
    for role in ("viewer", "operator", "editor"):
        done(filled("member", "add", "default/demo", role, "--role", role))
        token = done(filled("token", "create", "t", "--subject", role, "--role", role))
        person = Quick(filled.home, holder, {"CONTROLROOM_TOKEN": token})
        answer = person("sql", "select who, age from silver.adults order by age", "--json")
        gold = rows(person("sql", "select max(last_one) as last_one from gold.decades", "--json"))
        found = rows(person("sql", "select age from silver.adults where who = 'ALAN'", "--json"))
        seen[role] = (rows(answer), gold[0]["last_one"], found)
        assert ("personal data" in answer.err) == (role != "editor")
        if role != "editor":
            refused = person("dataset", "pii", "silver.adults", "who", "no")
            assert refused.err.startswith("NOT_ALLOWED") and "editor" in refused.err
    assert seen["viewer"] == seen["operator"] == ([{"who": None, "age": 41}, {"who": None, "age": 85}], None, [])
    assert seen["editor"] == ([{"who": "ALAN", "age": 41}, {"who": "GRACE", "age": 85}], "GRACE", [{"age": 41}])
    done(filled("dataset", "pii", "gold.decades", "last_one", "no"))
    viewer = Quick(filled.home, holder, {"CONTROLROOM_TOKEN": done(
        filled("token", "create", "u", "--subject", "viewer", "--role", "viewer"))})  # fmt: skip
    assert rows(viewer("sql", "select max(last_one) as last_one from gold.decades", "--json")) == [
        {"last_one": "GRACE"}
    ]
