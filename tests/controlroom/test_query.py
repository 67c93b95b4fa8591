"""Questions to the warehouse as people ask them: a run on a real executor, its rows, its versions, the cache, a cancel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from tests.controlroom.terminal import Answer, Terminal

SPEC = """\
version: 1
pipeline: elders
owner: "@data-owners"
params:
  youngest: {type: integer, default: 0}
phases:
  - name: elders
    kind: transform
    inputs: {people: silver.people}
    sql: select name, age from people where age >= (select youngest from params)
    output: {table: gold.elders}
"""
ASK = "select name, age from gold.elders order by age"
# A few hundred billion pairs: nothing that ends while one waits.
ENDLESS = "select count(*) as n from " + " cross join ".join(f"gold.elders as t{number}" for number in range(24))


@pytest.fixture
def asking(terminal: Terminal, people: Path) -> Iterator[Terminal]:
    """A terminal with an executor at work, and a table that a run has made."""
    (terminal.home / "elders.yaml").write_text(SPEC)
    executor = terminal.start("executor", "--slots", "2")
    try:
        publish(terminal, "0")
        yield terminal
    finally:
        executor.terminate()
        executor.communicate(timeout=60)


def publish(terminal: Terminal, youngest: str) -> None:
    answer = terminal("run", "submit", "./elders.yaml", "-p", f"youngest={youngest}", "--watch")
    assert answer.code == 0, answer.out + answer.err


def ask(terminal: Terminal, sql: str, *more: str) -> Answer:
    return terminal("query", "run", sql, "--json", *more)


def names(answer: Answer) -> list[object]:
    assert answer.code == 0, answer.err
    rows = answer.json()
    assert isinstance(rows, list)
    return [row["name"] for row in rows]


def as_member(terminal: Terminal, cluster: Cluster, role: str) -> Terminal:
    assert terminal("member", "add", "default/demo", role, "--role", role).code == 0
    token = terminal("token", "create", role, "--subject", role, "--role", role).out.strip()
    holder = cluster.token_url(str(conninfo_to_dict(terminal.database_url)["dbname"]))
    return Terminal(terminal.home, holder, {"CONTROLROOM_TOKEN": token})


@pytest.mark.slow
def test_an_answer_says_where_it_comes_from_and_is_given_once(asking: Terminal) -> None:
    first = ask(asking, ASK)
    assert names(first) == ["Ada", "Alan", "Grace"]
    assert "from gold.elders version 0" in first.err
    same = ask(asking, f"  {ASK.replace(' ', '  ')} -- the same question")
    assert "cached from run" in same.err
    assert names(same) == names(first)
    publish(asking, "50")
    fresh = ask(asking, ASK)
    assert names(fresh) == ["Grace"]
    assert "cached" not in fresh.err
    before = ask(asking, ASK.replace("gold.elders", "gold.elders@v0"))
    assert names(before) == ["Ada", "Alan", "Grace"]
    assert "gold.elders@v0 version 0" in before.err
    gone = ask(asking, "select * from gold.elders@v7")
    assert gone.code == 3
    assert "readers got no version" in gone.err
    assert "there are v1 of" in gone.err
    history = asking("query", "history", "elders v0", "--json").json()
    assert isinstance(history, list)
    assert [row["sql"] for row in history] == [ASK.replace("gold.elders", "gold.elders@v0")]


@pytest.mark.slow
def test_now_is_asked_again_and_a_damaged_answer_is_made_anew(asking: Terminal) -> None:
    unsteady = "select name, current_date as today from gold.elders"
    for _ in range(2):
        assert "cached" not in ask(asking, unsteady).err
    first = ask(asking, ASK)
    with psycopg.connect(asking.database_url) as connection:
        [(uri,)] = connection.execute(
            "select uri from ops.run_artifacts where kind = 'result' order by created_at desc limit 1"
        ).fetchall()
    Path(str(uri).removeprefix("file://")).write_bytes(b"not what it was")
    again = ask(asking, ASK)
    assert "cached" not in again.err
    assert names(again) == names(first)


@pytest.mark.slow
def test_personal_data_is_for_editors_and_so_is_what_was_made_with_it(asking: Terminal, cluster: Cluster) -> None:
    assert asking("dataset", "pii", "gold.elders", "name").code == 0
    viewer, editor = as_member(asking, cluster, "viewer"), as_member(asking, cluster, "editor")
    shown = ask(editor, ASK)
    assert names(shown) == ["Ada", "Alan", "Grace"]
    hidden = ask(viewer, ASK)
    assert "cached" not in hidden.err
    assert names(hidden) == [None, None, None]
    assert "gold.elders: name read as null" in hidden.err
    runs = editor("query", "history", "--mine", "--json").json()
    assert isinstance(runs, list)
    refused = viewer("query", "show", runs[0]["run_id"])
    assert refused.code == 1
    assert "needs the role editor" in refused.err
    assert "Ada" not in refused.out + refused.err


@pytest.mark.slow
def test_a_question_that_takes_too_long_is_canceled_by_whoever_asked(asking: Terminal, cluster: Cluster) -> None:
    viewer = as_member(asking, cluster, "viewer")
    run_id = viewer("query", "run", ENDLESS, "--no-wait").out.strip()
    deadline = monotonic() + 60
    while not _sandboxes():
        assert monotonic() < deadline, "the query never began"
        sleep(0.1)
    assert viewer("query", "cancel", run_id).out.strip() == "cancel_requested"
    while _sandboxes():
        assert monotonic() < deadline, "the query goes on"
        sleep(0.1)
    ended = asking("run", "show", run_id, "--json").json()
    assert isinstance(ended, dict)
    assert str(ended).count("canceled")


@pytest.mark.slow
def test_a_server_is_asked_and_its_answer_read_by_editors(asking: Terminal, cluster: Cluster) -> None:
    database = str(conninfo_to_dict(asking.database_url)["dbname"])
    place = asking.home / "secrets" / "sql" / "postgres" / "default" / "demo"
    place.mkdir(parents=True)
    (place / "dev").write_text(cluster.url(database, tcp=True))
    viewer, editor = as_member(asking, cluster, "viewer"), as_member(asking, cluster, "editor")
    sql = "select count(*) as name from ops.projects, params where slug = who"
    asked = ("--engine", "postgres", "-p", "who=demo")
    refused = ask(viewer, sql, *asked)
    assert refused.code == 1
    assert "takes the role editor" in refused.err
    not_let = ask(editor, sql, *asked)
    assert not_let.code == 1
    assert "none of this project's" in not_let.err
    assert asking("secret", "allow", "default/demo", "secret://file/sql/postgres/default/demo/dev").code == 0
    shown = ask(editor, sql, *asked)
    assert names(shown) == [1]
    assert "from the server of postgres" in shown.err
    runs = editor("query", "history", "--mine", "--json").json()
    assert isinstance(runs, list)
    assert runs[0]["engine"] == "postgres"
    assert viewer("query", "show", runs[0]["run_id"]).code == 1
    verified = asking("run", "verify", runs[0]["run_id"])
    assert verified.code == 0, verified.out + verified.err
    assert "not asked again" in verified.out
    # A cancel kills the phase with all that stems from it; the server notices.
    slow = editor(
        "query", "run", "select pg_sleep(600)::text as slow_4714", "--engine", "postgres", "--no-wait"
    ).out.strip()
    _until(asking.database_url, working=True)
    assert editor("query", "cancel", slow).out.strip() == "cancel_requested"
    _until(asking.database_url, working=False)


def _until(url: str, *, working: bool) -> None:
    deadline = monotonic() + 60
    with psycopg.connect(url, autocommit=True) as owner:
        while True:
            found = owner.execute(
                "select count(*) from pg_stat_activity where query like '%slow_4714%' and application_name = 'controlroom sql'"
            ).fetchone()
            if found is not None and bool(found[0]) is working:
                return
            assert monotonic() < deadline, "the query never began" if working else "the query goes on"
            sleep(0.1)


def _sandboxes() -> list[int]:
    """Processes of ours in which SQL of a person is carried out now."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "pipelines.sandbox.child" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.mark.slow
def test_what_is_wrong_is_said_before_or_by_the_run(asking: Terminal) -> None:
    refused = ask(asking, "drop table gold.elders")
    assert refused.code == 2
    wrong = ask(asking, "select nothing_like_it from gold.elders")
    assert wrong.code == 2
    assert "nothing_like_it" in wrong.err
    assert "spec" not in wrong.err
    nowhere = ask(asking, "select * from gold.nothing")
    assert nowhere.code == 3
    assert "there is no table gold.nothing" in nowhere.err
    listed = asking("run", "list", "--json").json()
    assert isinstance(listed, list)
    assert {row["pipeline"] for row in listed} == {"elders"}, "questions are no work that somebody watches"
