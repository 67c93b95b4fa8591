"""What a run's rules left out: counted in ``run show``, shown by ``run rejected`` to whoever may read it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.catalog import Catalog
from ops.database import connect
from ops.embedded import Cluster
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.controlroom.terminal import Answer, Terminal

# A dozen processes of the command line, on whatever machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SPEC = """\
version: 1
pipeline: adults
owner: "@data-owners"
phases:
  - name: adults
    kind: transform
    inputs: {people: silver.people}
    sql: select * from people
    output: {table: gold.adults}
    expect:
      - holds: {sql: "age < 80", name: "it's; odd (80%)"}
        on_fail: quarantine
      - holds: {sql: "age > 40"}
        on_fail: quarantine
      - holds: {sql: "name <> 'Nobody'"}
        on_fail: warn
  - name: count
    kind: validate
    table: gold.adults
    expect: [{rows: {min: 1}}]
"""
ODD = "it's; odd (80%)"


@pytest.fixture
def done(terminal: Terminal, people: Path) -> Iterator[str]:
    """The id of a run that has put two of three people aside."""
    assert people.exists()
    (terminal.home / "adults.yaml").write_text(SPEC)
    executor = terminal.start("executor", "--slots", "1")
    try:
        watched = terminal("run", "submit", "./adults.yaml", "--watch")
        assert watched.code == 0, watched.out + watched.err
        yield watched.out.split()[0]
    finally:
        executor.send_signal(signal.SIGTERM)
        executor.communicate(timeout=60)


def rows(answer: Answer) -> list[dict[str, object]]:
    assert answer.code == 0, answer.err
    return cast(list[dict[str, object]], answer.json())


def test_rules_are_counted_and_rejected_rows_are_at_hand(
    terminal: Terminal, done: str, people: Path, cluster: Cluster
) -> None:
    shown = terminal("run", "show", done, "--json").json()
    assert isinstance(shown, dict)
    counted = [
        (one["phase"], one["rule"], one["on_fail"], one["ok"], one["checked"], one["failed"], one["quarantined"])
        for one in shown["checks"]
    ]
    assert counted == [
        ("adults", ODD, "quarantine", False, 3, 1, 1),
        ("adults", "holds age > 40", "quarantine", False, 3, 1, 1),
        ("adults", "holds name <> 'Nobody'", "warn", True, 3, 0, 0),
        ("count", "rows", "fail", True, 1, 0, 0),
    ]
    found = rows(terminal("run", "rejected", done[:13], "--json"))
    assert {(one["table"], one["name"], one["age"], one["_reason"]) for one in found} == {
        ("quarantine.gold_adults", "Ada", 36, "holds age > 40"),
        ("quarantine.gold_adults", "Grace", 85, ODD),
    }
    assert [one["name"] for one in rows(terminal("run", "rejected", done, "--rule", ODD, "--json"))] == ["Grace"]
    unknown = terminal("run", "rejected", done, "--rule", "odd")
    assert (unknown.code, unknown.err.split(":")[0]) == (3, "NOT_FOUND")
    assert "Grace" in terminal("run", "rejected", done, "--limit", "2").out
    files = sorted(terminal.home.glob("lake/**/*.parquet"))
    verified = terminal("run", "verify", done)
    assert verified.code == 0, verified.out + verified.err
    assert sorted(terminal.home.glob("lake/**/*.parquet")) == files, "it is done again aside"
    _personal_data_stays_hidden(terminal, done, cluster)
    _done_again_has_its_own(terminal, done, people)


def _done_again_has_its_own(terminal: Terminal, done: str, people: Path) -> None:
    """A phase that is done again leaves rows of its own; where it stands, they are those of the run that did it."""
    more = pl.DataFrame({"name": ["Edsger"], "age": [95]})
    pl.concat([pl.read_delta(str(people)), more], how="vertical_relaxed").write_delta(str(people), mode="overwrite")
    run = done
    for phase in (["adults", "--latest"], ["count"]):
        again = terminal("run", "retry", run, "--watch", "--from-phase", *phase)
        assert again.code == 0, again.out + again.err
        run = again.out.split()[0]
        found = [one["name"] for one in rows(terminal("run", "rejected", run, "--json"))]
        assert sorted(map(str, found)) == ["Ada", "Edsger", "Grace"]
    found = [one["name"] for one in rows(terminal("run", "rejected", done, "--json"))]
    assert sorted(map(str, found)) == ["Ada", "Grace"]


def _personal_data_stays_hidden(terminal: Terminal, done: str, cluster: Cluster) -> None:
    """What is said of a table's column holds of the rows that never came into the table."""
    with connect(terminal.database_url, autocommit=True) as owner:
        project, people, catalog = Rpc(owner).ensure_project("default", "demo"), Tenancy(owner), Catalog(owner)
        catalog.note_column(catalog.entry(project, "dev", "gold.adults").dataset_id, "age", pii="yes")
        people.set_member("default", "demo", "ann", "viewer", ["dev"])
        token = people.create_access_token("t", "viewer", subject="ann")
    holder = cluster.token_url(str(conninfo_to_dict(terminal.database_url)["dbname"]))
    viewer = Terminal(terminal.home, holder, {"CONTROLROOM_TOKEN": token})
    answer = viewer("run", "rejected", done, "--json")
    assert {(one["name"], one["age"]) for one in rows(answer)} == {("Ada", None), ("Grace", None)}
    assert "quarantine.gold_adults: age read as null" in answer.err
