"""Questions over the warehouse: who may ask, what the names in them mean, what they may show, which answers are known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ops.catalog import Catalog
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import BadInput, CapExceeded, Conflict, IllegalTransition, NotAllowed, NotFound
from ops.home_reads import Home
from ops.lineage import LineageTelling
from ops.model import Artifact, ClaimedRun, PhaseStatus, RunId, RunStatus, Scope
from ops.reads import Reads
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from ops.upkeep import Upkeep
from ops.warehouse import QueryFilter, Question, Warehouse
from tests.operating import Operator, commit, everything_before_has_ended

HERE, THERE = Scope("default", "demo", "dev"), Scope("rivals", "books", "dev")
PEOPLE = ("viewer", "operator", "editor", "admin")
ASK = Question("select email from silver.sale_order where id = 7")
HOSTILE = (
    "select 1\", \"engine\": \"trino\", \"kind\": \"publish", "select '\"}], \"capabilities\": [\"root\"]'", "select 1\\",
    "'; drop table ops.runs; --", "select $$x$$",
)  # fmt: skip


@pytest.fixture
def members(connection: Connection) -> Connection:
    """One person a role, and one of another project."""
    rpc, tenancy = Rpc(connection), Tenancy(connection)
    rpc.ensure_project("default", "demo")
    rpc.ensure_project("rivals", "books")
    for role in PEOPLE:
        tenancy.set_member("default", "demo", f"{role}@here", role)
    tenancy.set_member("default", "demo", "guest@here", "viewer", ["stage"])
    tenancy.set_member("rivals", "books", "admin@there", "admin")
    return connection


def ask(connection: Connection, who: str, question: Question = ASK, scope: Scope = HERE) -> RunId:
    with acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
        return Warehouse(acting).submit(scope, question)


def seen(connection: Connection, who: str, **wanted: object) -> list[UUID]:
    with acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
        return [row.run_id for row in Warehouse(acting).find(QueryFilter(**wanted))]  # type: ignore[arg-type]


@pytest.mark.parametrize("role", PEOPLE)
def test_whoever_sees_the_project_may_ask(members: Connection, role: str) -> None:
    run_id = ask(members, f"{role}@here", replace(ASK, params={"limit": 3}))
    run = Reads(members).run(run_id)
    assert (run.trigger, run.pipeline, run.params, run.max_attempts) == ("query", "sql", {"limit": 3}, 1)
    assert run.spec["phases"] == [{"name": "query", "kind": "query", "sql": ASK.sql, "engine": "embedded"}]
    shown = members.execute("select sees_personal from ops.queries where run_id = %s", [run_id]).fetchone()
    assert shown == (role in ("editor", "admin"),)
    assert seen(members, f"{role}@here", mine=True) == [run_id]


def test_nobody_else_may(members: Connection) -> None:
    for who, scope in (
        ("admin@there", HERE), ("nobody", HERE), ("guest@here", HERE), ("viewer@here", THERE),
        ("viewer@here", replace(HERE, project="nowhere")),
    ):  # fmt: skip
        with pytest.raises(NotFound, match="there is no such project or run"):
            ask(members, who, scope=scope)
    assert members.execute("select count(*) from ops.queries").fetchone() == (0,)


def test_the_text_is_a_value_and_nothing_else(members: Connection) -> None:
    for sql in HOSTILE:
        spec = Reads(members).run(ask(members, "viewer@here", Question(sql))).spec
        assert spec["phases"] == [{"name": "query", "kind": "query", "sql": sql, "engine": "embedded"}]
        assert set(spec) == {"version", "pipeline", "owner", "max_attempts", "phases"}


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question(""), "p_sql has 0 characters"),
        (Question("s" * 100_001), "p_sql has 100001"),
        (Question("select 1", engine="publish"), "p_engine is 'publish'; there are embedded"),
        (Question("select 1", {"a b": 1}), "must be named with"),
        (Question("select 1", {"a": {"kind": "publish"}}), "must be named with"),
    ],
)
def test_what_is_no_question_is_refused(members: Connection, question: Question, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ask(members, "admin@here", question)


@pytest.mark.parametrize("engine", ["postgres", "trino"])
def test_a_server_is_asked_by_those_who_may_see_personal_data(members: Connection, engine: str) -> None:
    question = Question("select 1", engine=engine)
    said = f"engine {engine} .* takes the role editor in the environment dev.* engine embedded"
    for who in ("viewer@here", "operator@here"):
        with pytest.raises(NotAllowed, match=said):
            ask(members, who, question)
    for who in ("admin@there", "guest@here"):
        with pytest.raises(NotFound, match="there is no such project or run"):
            ask(members, who, question)
    assert members.execute("select count(*) from ops.queries").fetchone() == (0,)
    for who in ("editor@here", "admin@here"):
        run = Reads(members).run(ask(members, who, question))
        assert run.spec["phases"] == [{"name": "query", "kind": "query", "sql": "select 1", "engine": engine}]


def test_what_a_server_said_is_read_by_editors_only(members: Connection, operator: Operator) -> None:
    run_id = ask(members, "editor@here", Question("select 1", engine="postgres"))
    at = Asked(operator, operator.claim())
    assert at.run.run_id == run_id
    at.answer("2" * 64, personal=True)
    for reader, reads in (("viewer@here", 0), ("operator@here", 0), ("editor@here", 1), ("admin@here", 1)):
        with acting_as(members, AUTHENTICATED, {"sub": reader}) as acting:
            assert len(Reads(acting).artifacts(run_id)) == reads, reader


def test_a_key_is_ones_own(members: Connection) -> None:
    keyed = replace(ASK, key="k")
    first = ask(members, "viewer@here", keyed)
    assert ask(members, "viewer@here", keyed) == first
    assert ask(members, "editor@here", keyed) != first
    with pytest.raises(Conflict, match="asks something else"):
        ask(members, "viewer@here", replace(keyed, sql="select 2"))


def test_nobody_fills_the_queue_with_questions(members: Connection) -> None:
    runs = [ask(members, "viewer@here") for _ in range(20)]
    with pytest.raises(CapExceeded, match="20 of your queries"):
        ask(members, "viewer@here")
    ask(members, "operator@here")
    assert cancel(members, "viewer@here", runs[0]) == "canceled"
    ask(members, "viewer@here")


def cancel(connection: Connection, who: str, run_id: RunId) -> str:
    with acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
        return Rpc(acting).cancel_run(run_id, "enough")


def test_a_viewer_cancels_what_he_asked_and_nothing_else(members: Connection, operator: Operator) -> None:
    mine, anothers, work = ask(members, "viewer@here"), ask(members, "editor@here"), operator.queue()
    for run_id in (anothers, work):
        with pytest.raises(NotAllowed, match="role operator"):
            cancel(members, "viewer@here", run_id)
    Tenancy(members).remove_member("default", "demo", "viewer@here")
    with pytest.raises(NotFound):
        cancel(members, "viewer@here", mine)
    assert cancel(members, "operator@here", mine) == "canceled"


def test_a_question_is_not_done_again_by_another(members: Connection) -> None:
    run_id = ask(members, "editor@here")
    Rpc(members).cancel_run(run_id, "")
    with acting_as(members, AUTHENTICATED, {"sub": "admin@here"}) as acting, pytest.raises(IllegalTransition):
        Rpc(acting).retry_run(run_id)


def test_no_run_passes_for_a_question(members: Connection, operator: Operator) -> None:
    with pytest.raises(BadInput, match="made by ops.submit_query"):
        operator.queue(trigger="query")


def test_history_is_the_projects_and_has_pages(members: Connection) -> None:
    texts = ("select a from gold.one", "select b from gold.two", "select total_amount from gold.one")
    runs = [ask(members, "viewer@here", Question(text)) for text in texts]
    ask(members, "admin@there", scope=THERE)
    assert seen(members, "operator@here") == runs[::-1]
    assert seen(members, "viewer@here", text="one select") == [runs[2], runs[0]]
    assert seen(members, "viewer@here", text="gold.two") == [runs[1]]
    assert seen(members, "viewer@here", text="total_am") == [runs[2]]
    assert seen(members, "operator@here", mine=True) == []
    assert seen(members, "guest@here") == seen(members, "nobody") == []
    assert seen(members, "viewer@here", status=("succeeded",)) == []
    with acting_as(members, AUTHENTICATED, {"sub": "viewer@here"}) as acting:
        first = Warehouse(acting).find(QueryFilter(), 2)
        rest = Warehouse(acting).find(QueryFilter(), 2, (first[-1].created_at, first[-1].run_id))
        assert [row.run_id for row in (*first, *rest)] == runs[::-1]
        assert Reads(acting).list_runs() == []


class Asked:
    """A question at work, as its executor has it."""

    def __init__(self, operator: Operator, run: ClaimedRun) -> None:
        self.run, self.mine = run, (run.run_id, run.lease_token)
        self.executor, self.warehouse = operator.executor, Warehouse(operator.executor.source)
        self.executor.start_run(*self.mine)

    def versions(self, *names: str) -> Mapping[str, int | None]:
        return self.warehouse.named_versions(*self.mine, names)

    def answer(self, key: str, text: bytes = b"rows", **metrics: object) -> None:
        meta = {"personal": True} if metrics.get("personal") else {}
        digest = hashlib.sha256(text).hexdigest()
        artifact = Artifact("query.parquet", "result", digest, 4, "x/y", "file:///x", meta)
        self.executor.start_phase(*self.mine, "query")
        self.executor.register_artifact(*self.mine, "query", artifact)
        result = {"rows_out": 3, "output_fingerprint": "f", "metrics": {"answer_key": key, **metrics}}
        self.executor.finish_phase(*self.mine, "query", PhaseStatus.SUCCEEDED, result)
        self.executor.complete_run(*self.mine, {})


def asked(members: Connection, operator: Operator, who: str, scope: Scope = HERE) -> Asked:
    run_id = ask(members, who, scope=scope)
    run = operator.claim()
    assert run.run_id == run_id
    return Asked(operator, run)


def written(operator: Operator, version: int, ends_well: bool = True) -> None:
    """A run that leaves that version of the table."""
    operator.queue()
    run = operator.claim()
    mine = run.run_id, run.lease_token
    operator.executor.start_run(*mine)
    operator.executor.start_phase(*mine, "bronze")
    operator.executor.record_dataset(*mine, "bronze", replace(commit(), version=version))
    operator.executor.finish_phase(*mine, "bronze", PhaseStatus.SUCCEEDED, {})
    if not ends_well:
        operator.executor.fail_run(*mine, "CHECK_FAILED", "no")
        return
    operator.executor.start_phase(*mine, "checks")
    operator.executor.finish_phase(*mine, "checks", PhaseStatus.SUCCEEDED, {})
    operator.executor.complete_run(*mine, {})


def test_names_mean_versions_that_readers_got(members: Connection, operator: Operator) -> None:
    table = commit().table
    written(operator, 3)
    written(operator, 4, ends_well=False)
    written(operator, 5)
    [(middle,)] = members.execute(
        "select to_char(max(finished_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from ops.runs "
        "where status = 'failed'"
    ).fetchall()
    at = asked(members, operator, "viewer@here")
    names = (table, f"{table}@v3", f"{table}@{middle}", f"{table}@2999-01-01")
    assert at.versions(*names) == dict(zip(names, [5, 3, 3, 5], strict=True))
    for gone in ("v4", "v6", "2001-01-01"):
        with pytest.raises(NotFound, match=r"readers got no version .*; there are v5 of .*Z, v3 of"):
            at.versions(f"{table}@{gone}")
    with pytest.raises(NotFound, match=f"there is no table gold.nothing.*there are {table}"):
        at.versions("gold.nothing")
    for odd in ("latest", "2026-02-30", "v", "v3 or 1=1"):
        with pytest.raises(BadInput, match="names no version"):
            at.versions(f"{table}@{odd}")


def test_personal_data_is_shown_to_editors_and_its_answers_too(members: Connection, operator: Operator) -> None:
    written(operator, 1)
    catalog, project = Catalog(members), Rpc(members).ensure_project("default", "demo")
    entry = catalog.entry(project, "dev", commit().table)
    [column, *_] = entry.columns
    catalog.note_column(entry.dataset_id, column, pii="yes")
    for who, shown in (("viewer@here", False), ("operator@here", False), ("editor@here", True)):
        at = asked(members, operator, who)
        said = at.warehouse.personal_columns(*at.mine, [f"{commit().table}@v1", "gold.other"])
        assert (said.shown, said.question, dict(said.columns)) == (shown, True, {f"{commit().table}@v1": [column]})
        at.answer("1" * 64, personal=shown)
        for reader, reads in (("viewer@here", not shown), ("operator@here", not shown), ("editor@here", True)):
            with acting_as(members, AUTHENTICATED, {"sub": reader}) as acting:
                assert len(Reads(acting).artifacts(at.run.run_id)) == reads, (who, reader)


def test_an_answer_is_known_under_its_key_where_it_was_given(members: Connection, operator: Operator) -> None:
    key = "a" * 64
    first = asked(members, operator, "viewer@here")
    assert first.warehouse.known_answer(*first.mine, key) is None
    first.answer(key)
    second = asked(members, operator, "editor@here")
    known = second.warehouse.known_answer(*second.mine, key)
    assert known is not None
    assert (known["run_id"], known["rows_out"], len(known["artifacts"])) == (str(first.run.run_id), 3, 1)
    assert second.warehouse.known_answer(*second.mine, "b" * 64) is None
    elsewhere = asked(members, operator, "admin@there", THERE)
    assert elsewhere.warehouse.known_answer(*elsewhere.mine, key) is None
    second.answer(key, b"newer")
    third = asked(members, operator, "viewer@here")
    known = third.warehouse.known_answer(*third.mine, key)
    assert known is not None
    assert known["run_id"] == str(second.run.run_id)


def test_a_question_is_judged_by_nobody(members: Connection, operator: Operator) -> None:
    at = asked(members, operator, "viewer@here")
    operator.executor.fail_run(*at.mine, "BAD_INPUT", "no")
    assert Upkeep(members).score_ended_runs() == 0
    assert Rpc(members).compute_run_score(at.run.run_id) is None
    assert members.execute("select count(*) from ops.signals").fetchone() == (0,)
    [row] = Warehouse(members).find(QueryFilter())
    assert (row.status, row.error_code, row.rows) == ("failed", "BAD_INPUT", None)


def test_a_question_is_counted_and_told_nowhere_as_a_run(members: Connection, operator: Operator) -> None:
    telling, reads, home = LineageTelling(members), Reads(members), Home(members)
    assert telling.enroll() == 0
    at = asked(members, operator, "viewer@here")
    assert telling.enroll() == 0
    operator.executor.fail_run(*at.mine, "BAD_INPUT", "no")
    assert telling.enroll() == 0
    assert sum(reads.status_counts().values()) == 0
    assert home.pipeline_counts() == []
    # What is a run is: the same three say so.
    written(operator, 1)
    everything_before_has_ended(members)
    assert telling.enroll() == 1
    assert sum(reads.status_counts().values()) == 1
    assert len(home.pipeline_counts()) == 1


def test_what_has_not_ended_is_counted_however_old_it_is(members: Connection, operator: Operator) -> None:
    reads, home = Reads(members), Home(members)
    operator.queue()
    operator.running()
    done = operator.running()
    operator.executor.fail_run(*done, "BAD_INPUT", "no")
    after = datetime.now(UTC) + timedelta(days=1)
    found = reads.status_counts(after)
    assert (found[RunStatus.QUEUED], found[RunStatus.RUNNING], found[RunStatus.FAILED]) == (1, 1, 0)
    assert sorted((row.status, row.runs) for row in home.pipeline_counts(after)) == [("queued", 1), ("running", 1)]
