"""Search finds what the policy of runs shows, and nothing else: the function repeats the policy by hand."""

from __future__ import annotations

import pytest

from ops.database import AUTHENTICATED, Connection
from ops.errors import BadInput
from ops.model import RunId
from ops.reads import Reads
from ops.tenancy import Tenancy
from tests.operating import Operator

PEOPLE: dict[str, list[tuple[str | None, list[str]]]] = {
    "boss": [(None, ["dev", "stage", "prod"])],
    "mate": [("demo", ["dev"])],
    "guest": [("demo", ["stage", "prod"]), ("other", ["dev"])],
    "nobody": [],
}


def found(operator: Operator, connection: Connection, text: str, who: str | None = None) -> list[RunId]:
    reads = Reads(connection, AUTHENTICATED, {"sub": who}) if who else Reads(connection)
    return [each.run_id for each in reads.search_runs(text)]


def test_words_of_pipeline_error_and_tags_are_found_newest_first(operator: Operator, connection: Connection) -> None:
    failed = operator.running()
    operator.executor.fail_run(*failed, "CHECK_FAILED", "nulls in amount_total")
    tagged = operator.queue(tags={"ticket": "OPS-17"})
    for text, wanted in {
        "demo": [tagged, failed[0]], "amount_total": [failed[0]], "nulls amount": [failed[0]], "check_fail": [failed[0]],
        "ops-17": [tagged], "nulls ticket": [], "absent": [], "'; drop table ops.runs; --": [], "demo | absent": [],
    }.items():  # fmt: skip
        assert found(operator, connection, text) == wanted, text
    for empty in ("", "  ", "!&|", "'"):
        with pytest.raises(BadInput, match="no word"):
            found(operator, connection, empty)
    for limit in (0, 1001):
        with pytest.raises(BadInput, match="p_limit"):
            Reads(connection).search_runs("demo", limit)


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
        listed = {each.run_id for each in Reads(connection, AUTHENTICATED, {"sub": who}).list_runs()}
        assert set(found(operator, connection, "demo", who)) == listed
        assert bool(listed) == bool(places)
    assert len(found(operator, connection, "demo")) == 12
    assert len(found(operator, connection, "demo", "guest")) == 3
