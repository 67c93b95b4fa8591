"""A filter finds what it says among what the policy of runs shows: the function repeats the policy by hand."""

from __future__ import annotations

import pytest

from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import BadInput
from ops.model import RunId, RunStatus, Trigger
from ops.reads import Reads
from ops.run_filter import RunFilter, filter_of
from ops.tenancy import Tenancy
from ops.translation import translated
from tests.operating import Operator

PEOPLE: dict[str, list[tuple[str | None, list[str]]]] = {
    "boss": [(None, ["dev", "stage", "prod"])],
    "mate": [("demo", ["dev"])],
    "guest": [("demo", ["stage", "prod"]), ("other", ["dev"])],
    "nobody": [],
}


def found(operator: Operator, connection: Connection, text: str, who: str | None = None) -> list[RunId]:
    reads = Reads(connection, AUTHENTICATED, {"sub": who}) if who else Reads(connection)
    return [each.run_id for each in reads.list_runs(RunFilter(text=text))]


def test_words_of_pipeline_error_and_tags_are_found_newest_first(operator: Operator, connection: Connection) -> None:
    failed = operator.running()
    operator.executor.fail_run(*failed, "CHECK_FAILED", "nulls in amount_total")
    tagged = operator.queue(tags={"ticket": "OPS-17"})
    for text, wanted in {
        "demo": [tagged, failed[0]], "amount_total": [failed[0]], "nulls amount": [failed[0]], "check_fail": [failed[0]],
        "ops-17": [tagged], "nulls ticket": [], "absent": [], "'; drop table ops.runs; --": [], "demo | absent": [],
    }.items():  # fmt: skip
        assert found(operator, connection, text) == wanted, text
    for empty in ("  ", "!&|", "'"):
        with pytest.raises(BadInput, match="no word"):
            found(operator, connection, empty)
    for limit in (0, 1001):
        with pytest.raises(BadInput, match="p_limit"):
            Reads(connection).list_runs(RunFilter(text="demo"), limit)


def test_each_person_finds_what_the_policy_shows(operator: Operator, connection: Connection) -> None:
    tenancy, projects = Tenancy(connection), {}
    for org, project in (("default", "demo"), ("default", "other"), ("rivals", "demo")):
        projects[org, project] = operator.owner.ensure_project(org, project)
    for who, places in PEOPLE.items():
        for place, envs in places:
            tenancy.set_member("default", place, who, "admin", envs)
    for project_id in projects.values():
        run_id = operator.queue()
        for env in ("dev", "stage", "prod"):
            # Straight into the table: a pipeline would have to be promoted thrice.
            connection.execute(
                "insert into ops.runs (project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, turn, "
                "available_at, created_at) select %s, %s, pipeline, 1, spec, spec_sha256, git_sha, 0, now(), now() "
                "from ops.runs where id = %s",
                [project_id, env, run_id],
            )
    for who, places in PEOPLE.items():
        reads = Reads(connection, AUTHENTICATED, {"sub": who})
        listed = {each.run_id for each in reads.list_runs()}
        assert listed == seen_by_the_policy(connection, who)
        assert {each.run_id for each in reads.list_runs(RunFilter(status=tuple(RunStatus)))} == listed
        assert set(found(operator, connection, "demo", who)) == listed
        assert bool(listed) == bool(places)
    assert len(found(operator, connection, "demo")) == 12
    assert len(found(operator, connection, "demo", "guest")) == 3


def seen_by_the_policy(connection: Connection, who: str) -> set[RunId]:
    with acting_as(connection, AUTHENTICATED, {"sub": who}) as reader:
        return {RunId(run_id) for (run_id,) in reader.execute("select id from ops.runs").fetchall()}


def test_each_filter_leaves_what_it_says(operator: Operator, connection: Connection) -> None:
    failed = operator.running()
    operator.executor.fail_run(*failed, "CHECK_FAILED", "nulls")
    owned = operator.running()[0]
    tagged = operator.queue(tags={"ticket": "OPS-17", "team": "books"}, trigger=Trigger.API)
    retried = operator.owner.retry_run(failed[0])
    reads = Reads(connection)
    everything = {failed[0], owned, tagged, retried}
    created = reads.run(tagged).created_at
    for wanted, runs in (
        (RunFilter(), everything),
        (RunFilter(org="default", project="demo", pipeline="demo"), everything),
        (RunFilter(org="rivals"), set()),
        (RunFilter(env="dev"), everything),
        (RunFilter(env="prod"), set()),
        (RunFilter(status=(RunStatus.FAILED, RunStatus.RUNNING)), {failed[0], owned}),
        (RunFilter(status=(RunStatus.CANCELED,)), set()),
        (RunFilter(trigger=(Trigger.API, Trigger.RETRY)), {tagged, retried}),
        (RunFilter(executor=operator.executor_id), {failed[0], owned}),
        (RunFilter(root_run=failed[0]), {failed[0], retried}),
        (RunFilter(text="nulls", status=(RunStatus.FAILED,)), {failed[0]}),
        (RunFilter(text="nulls", status=(RunStatus.QUEUED,)), set()),
        (RunFilter(since=created), {tagged, retried}),
        (RunFilter(until=created), {failed[0], owned}),
    ):
        found = reads.list_runs(wanted)
        assert {each.run_id for each in found} == runs, wanted
        assert found == sorted(found, key=lambda each: (each.created_at, each.run_id), reverse=True)
    for tags, runs in {("ticket", "OPS-17"): {tagged}, ("ticket", "OPS-1"): set(), ("team", "OPS-17"): set()}.items():
        assert {each.run_id for each in reads.list_runs(RunFilter(tags=dict([tags])))} == runs, tags


def test_what_is_no_filter_is_refused_with_every_fault(connection: Connection) -> None:
    asked = '{"colour": "red", "status": "failed", "executor": "mine", "since": "soon", "tags": {}}'
    with (
        pytest.raises(BadInput) as refused,
        translated(),
        acting_as(connection, AUTHENTICATED, {"sub": "boss"}) as asking,
    ):
        asking.execute("select ops.find_runs(%s)", [asked])
    for fault in (
        "colour is no filter",
        "status must be a list",
        "'mine' is no id",
        "'soon' is no time",
        "tags must be",
    ):
        assert fault in refused.value.message
    with pytest.raises(BadInput) as refused:
        filter_of({"colour": ["red"], "status": ["fine"], "executor": ["mine"], "since": ["soon"], "tags": ["x"]})
    for fault in (
        "colour is no filter",
        "fine is none; known are",
        "'mine' is no id",
        "'soon' is no time",
        "'x' has no value",
    ):
        assert fault in refused.value.message
