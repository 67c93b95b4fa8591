"""What people look at: pages that neither repeat nor skip, and for a user only what is his."""

from __future__ import annotations

import uuid

import pytest

from ops.database import AUTHENTICATED, Connection, Pool, acting_as
from ops.embedded import Cluster
from ops.errors import BadInput, NotFound
from ops.model import EventType, NewEvent, PhaseStatus, RunId, RunStatus, TableVersion
from ops.pipeline_reads import PipelineName, Pipelines
from ops.reads import Reads
from ops.run_filter import RunFilter
from ops.tenancy import Tenancy
from tests.operating import Operator, commit


def test_pages_neither_repeat_nor_skip(operator: Operator, connection: Connection) -> None:
    made = [operator.queue() for _ in range(7)]
    reads = Reads(connection)
    seen: list[RunId] = []
    page = reads.list_runs(limit=3)
    while page:
        seen += [row.run_id for row in page]
        page = reads.list_runs(limit=3, before=(page[-1].created_at, page[-1].run_id))
    assert seen == made[::-1]


def test_a_list_can_be_narrowed(operator: Operator, connection: Connection) -> None:
    done = operator.running()
    operator.executor.fail_run(*done, "CHECK_FAILED", "nulls in amount")
    project = operator.owner.ensure_project("default", "demo")
    operator.succeeded()
    Tenancy(connection).promote_pipeline(project, "demo", 1, "stage")
    waiting = operator.queue(env="stage")
    reads = Reads(connection)
    assert [row.run_id for row in reads.list_runs(RunFilter(status=(RunStatus.FAILED,)))] == [done[0]]
    assert [row.run_id for row in reads.list_runs(RunFilter(env="stage"))] == [waiting]
    for nothing in (RunFilter(pipeline="other"), RunFilter(org="other"), RunFilter(project="other")):
        assert reads.list_runs(nothing) == []
    assert reads.status_counts()[RunStatus.FAILED] == 1
    [failed] = reads.list_runs(RunFilter(status=(RunStatus.FAILED,)))
    assert (failed.error_code, failed.error_message) == ("CHECK_FAILED", "nulls in amount")


def test_a_run_is_found_by_the_beginning_of_its_id(operator: Operator, connection: Connection) -> None:
    run_id, other = operator.queue(), operator.queue()
    reads = Reads(connection)
    assert reads.resolve_run(str(run_id)) == run_id
    assert reads.resolve_run(run_id.hex[:-4].upper()) == run_id
    with pytest.raises(BadInput, match="several runs"):
        reads.resolve_run(str(other)[:4])
    for wrong in ("x", "abc", "'; drop table ops.runs", "0" * 33):
        with pytest.raises(BadInput, match="not a run id"):
            reads.resolve_run(wrong)
    with pytest.raises(NotFound):
        reads.resolve_run(str(uuid.UUID(int=0)))
    with pytest.raises(NotFound, match="run list"):
        reads.run(RunId(uuid.uuid4()))


def test_a_running_phase_shows_its_progress_and_the_run_its_lease(operator: Operator, connection: Connection) -> None:
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    operator.executor.heartbeat_run(run_id, token, "bronze", {"done": 10, "total": 40})
    reads = Reads(connection)
    assert reads.phases(run_id)[0].progress == {"done": 10, "total": 40}
    detail = reads.run(run_id)
    assert (detail.phase, detail.lease_token, detail.executor_id) == ("bronze", token, operator.executor_id)
    [executor] = reads.executors()
    assert (executor.name, executor.slots, executor.runs) == ("tester", 4, 1)
    report = NewEvent(uuid.uuid4(), EventType.PHASE_PROGRESS, "bronze", message="half", data={"done": 20, "total": 40})
    operator.executor.append_events(run_id, token, [report])
    assert reads.phases(run_id)[0].progress == {"done": 20, "total": 40, "message": "half"}
    operator.executor.finish_phase(run_id, token, "bronze", PhaseStatus.SUCCEEDED, {})
    assert reads.phases(run_id)[0].progress is None


def test_datasets_say_which_run_made_them_from_what(operator: Operator, connection: Connection) -> None:
    mine = operator.running()
    for version in (3, 4):
        operator.executor.record_dataset(*mine, "bronze", commit(version))
    reads = Reads(connection)
    # Readers get what a run has written when it has succeeded.
    assert reads.datasets() == []
    operator.complete(*mine)
    [newest] = reads.datasets()
    assert (newest.table, newest.version, newest.run_id, newest.env) == ("silver.sale_order", 4, mine[0], "dev")
    assert newest.columns == {"id": "integer", "amount": "decimal(16,2)"}
    assert [row.version for row in reads.dataset_versions(mine[0])] == [3, 4]
    assert reads.dataset_versions(mine[0])[0].inputs == (
        TableVersion("bronze.sale_order", 3, commit().inputs[0].fingerprint),
    )


def test_a_user_sees_his_projects_and_no_others(operator: Operator, connection: Connection, cluster: Cluster) -> None:
    operator.queue()
    connection.execute(
        "insert into ops.memberships (org_id, subject, role)"
        " select id, 'ann', 'viewer' from ops.orgs where slug = 'default'"
    )
    name = connection.info.dbname
    with Pool(cluster.login_url(name), max_size=1) as pool:
        assert len(Reads(pool, AUTHENTICATED, {"sub": "ann"}).list_runs()) == 1
        for stranger in ({"sub": "bob"}, {}, None):
            reads = Reads(pool, AUTHENTICATED, stranger)
            assert [*reads.list_runs(), *reads.datasets()] == []
            with pytest.raises(NotFound, match="not yours"):
                reads.project_id("default", "demo")
        with pool.connection() as lent, acting_as(lent, AUTHENTICATED, {"sub": "ann"}) as ann:
            assert Pipelines(ann).names(9) == [PipelineName("default", "demo", "demo")]
