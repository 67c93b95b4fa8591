"""The page in a browser: what an operator sees, steers and starts, and what he does not see."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Page, expect

from ops.artifacts import ArtifactStore
from ops.database import LOCAL_OPERATOR
from ops.model import PhaseStatus, RunId, RunStatus
from ops.reads import Reads
from ops.run_filter import RunFilter
from ops.tenancy import Tenancy
from pipelines.spec import Pipeline, spec_sha256
from tests.dashboard.conftest import Served, Watched
from tests.operating import Operator, commit

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def finished(operator: Operator) -> RunId:
    """A run of two phases that left a table behind and succeeded."""
    run_id, token = operator.running()
    for phase in ("bronze", "checks"):
        operator.executor.start_phase(run_id, token, phase, "in" * 8)
        result = {"rows_in": 30, "rows_out": 30, "input_fingerprint": "in" * 8, "output_fingerprint": "0ut" * 5}
        operator.executor.finish_phase(run_id, token, phase, PhaseStatus.SUCCEEDED, result)
    operator.executor.record_dataset(run_id, token, "bronze", commit(table=f"silver.t{uuid4().hex[:8]}"))
    operator.executor.complete_run(run_id, token, {})
    operator.owner.compute_run_score(run_id)
    return run_id


def open_run(page: Page, served: Served, run_id: RunId) -> None:
    page.goto(f"{served.where}/run?id={run_id}")
    page.wait_for_selector(".verdict")


def test_the_list_leads_to_the_run_and_nothing_is_fetched_from_elsewhere(watched: Watched, served: Served) -> None:
    run_id = finished(served.operator)
    page = watched.page
    page.goto(f"{served.where}/runs")
    link = page.locator(f"a[href='run?id={run_id}']")
    expect(page.locator("tr", has=link).locator(".pill")).to_have_text("succeeded")
    link.click()
    expect(page.locator(".verdict")).to_contain_text("2 of 2 phases done")
    expect(page.locator(".axis .label")).to_have_text(["waiting", "bronze", "checks"])
    expect(page.get_by_text("the chain is whole")).to_be_visible()
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []


def test_a_run_page_shows_phases_tables_fingerprints_and_score(page: Page, served: Served) -> None:
    open_run(page, served, finished(served.operator))
    for expected in ("bronze.sale_order@3", "in" * 6, "0ut" * 4, "RUN_SUCCEEDED", "outcome", "rows written"):
        expect(page.locator(".stMain")).to_contain_text(expected)
    expect(page.locator(".tile", has_text="score").locator(".value")).to_have_text("100")


def test_the_page_follows_a_run_to_its_end_without_being_touched(page: Page, served: Served) -> None:
    operator = served.operator
    run_id, token = operator.running()
    open_run(page, served, run_id)
    operator.executor.start_phase(run_id, token, "bronze")
    operator.executor.heartbeat_run(run_id, token, "bronze", {"done": 10, "total": 40, "message": "sale_order"})
    expect(page.locator(".verdict")).to_contain_text("Running bronze; 0 of 2 phases done")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25.0")
    operator.executor.fail_run(run_id, token, "CHECK_FAILED", "amount_total has 3 nulls")
    expect(page.locator(".verdict")).to_contain_text("amount_total has 3 nulls (CHECK_FAILED)")
    expect(page.get_by_role("button", name="Retry run")).to_be_visible()


def test_text_from_a_run_is_never_taken_for_markup(page: Page, served: Served) -> None:
    operator = served.operator
    run_id, token = operator.running()
    operator.executor.fail_run(run_id, token, "PHASE_FAILED", HOSTILE)
    open_run(page, served, run_id)
    expect(page.locator(".verdict")).to_contain_text("<script>")
    page.goto(f"{served.where}/runs")
    expect(page.locator("tr", has_text=HOSTILE[:20]).first).to_be_visible()
    assert page.title() != "taken"
    assert page.locator(".cr img").count() == 0


def test_a_queued_run_is_canceled_and_retried_from_its_page(page: Page, served: Served) -> None:
    run_id = served.operator.queue()
    open_run(page, served, run_id)
    page.get_by_role("button", name="Cancel run…").click()
    expect(page.get_by_role("dialog")).to_contain_text("It waits and ends at once")
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    expect(page.locator(".verdict")).to_contain_text("Canceled")
    page.get_by_role("button", name="Retry run…").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry run").click()
    expect(page.locator(".verdict")).to_contain_text("Waits for an executor")
    with psycopg.connect(served.operator.url) as connection:
        rows = connection.execute("select status from ops.runs where id = %s or parent_run = %s", [run_id, run_id])
        assert sorted(row[0] for row in rows.fetchall()) == ["canceled", "queued"]
        connection.execute("select ops.cancel_run(id, 'over') from ops.runs where parent_run = %s", [run_id])


def test_the_form_starts_a_run_with_the_parameters_that_were_typed(page: Page, served: Served) -> None:
    page.goto(f"{served.where}/trigger?pipeline=odoo_ingest_bronze")
    page.get_by_role("button", name="Start run").click()
    page.wait_for_selector(".verdict")
    expect(page.get_by_text("odoo_ingest_bronze").first).to_be_visible()
    with psycopg.connect(served.operator.url, autocommit=True) as connection:
        [latest] = Reads(connection).list_runs(RunFilter(pipeline="odoo_ingest_bronze"), limit=1)
        assert latest.status is RunStatus.QUEUED
        assert str(latest.run_id) in page.url
        assert latest.trigger == "manual"
        connection.execute("select ops.cancel_run(%s, 'over')", [latest.run_id])


TWO = {
    "version": 1,
    "pipeline": "elsewhere",
    "owner": "@data",
    "phases": [{"name": "one", "kind": "query", "sql": "select 1 as one"}],
}


def test_a_pipeline_of_another_project_is_started_there_as_its_environment_runs_it(page: Page, served: Served) -> None:
    owner = served.operator.owner
    project = owner.ensure_project("default", "second")
    for since in ("2020-05-05", "2026-01-01"):
        spec = Pipeline.from_json({**TWO, "params": {"since": {"type": "date", "default": since}}})
        owner.register_pipeline(project, spec.pipeline, spec.to_json(), spec_sha256(spec), "c" * 40)
    with psycopg.connect(served.operator.url, autocommit=True) as connection:
        Tenancy(connection).set_member("default", "second", LOCAL_OPERATOR, "operator")
        connection.execute(
            "insert into ops.promotions (project_id, env, pipeline, version) values (%s, 'prod', 'elsewhere', 1)",
            [project],
        )
        page.goto(f"{served.where}/pipeline?project=default%2Fsecond&name=elsewhere")
        page.locator(".stMain").get_by_role("link", name="Start a run").click()
        expect(page.get_by_text("elsewhere, version 2: 1 phase: one")).to_be_visible()
        page.get_by_role("combobox", name="Environment").click()
        page.get_by_role("option", name="stage").click()
        expect(page.get_by_text("stage runs no version of elsewhere yet")).to_be_visible()
        page.get_by_role("combobox", name="Environment").click()
        page.get_by_role("option", name="prod").click()
        expect(page.get_by_text("elsewhere, version 1: 1 phase: one")).to_be_visible()
        page.get_by_role("button", name="Start run").click()
        page.wait_for_selector(".verdict")
        [made] = Reads(connection).list_runs(RunFilter(pipeline="elsewhere"), limit=1)
        assert (made.org, made.project, made.env, made.pipeline_version) == ("default", "second", "prod", 1)
        [[since]] = connection.execute(
            "select params ->> 'since' from ops.runs where id = %s", [made.run_id]
        ).fetchall()
        assert since == "2020-05-05"
        connection.execute("select ops.cancel_run(%s, 'over')", [made.run_id])
        Tenancy(connection).set_member("default", "second", LOCAL_OPERATOR, "viewer")
        page.goto(f"{served.where}/trigger?project=default%2Fsecond&pipeline=elsewhere")
        expect(page.get_by_role("button", name="Start run")).to_be_disabled()


def test_an_artifact_is_given_as_it_was_stored_and_to_nobody_else(page: Page, served: Served) -> None:
    operator = served.operator
    run_id, token = operator.running()
    bytes_ = b"a,b\n1,2\n" * 300_000
    artifact = ArtifactStore(served.home / "artifacts").put_bytes("rows.csv", "query", bytes_, "text/csv")
    artifact_id = operator.executor.register_artifact(run_id, token, None, artifact)
    open_run(page, served, run_id)
    with page.expect_download() as begun:
        page.get_by_role("link", name="rows.csv").click()
    assert hashlib.sha256(begun.value.path().read_bytes()).hexdigest() == artifact.sha256
    hidden, hidden_artifact = of_another_team(served)
    for path in (f"{run_id}/{uuid4()}", f"{run_id}/none", f"{hidden}/{hidden_artifact}", f"{hidden}/{artifact_id}"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{served.where}/artifacts/{path}", timeout=10)


def of_another_team(served: Served) -> tuple[RunId, object]:
    """A run with an artifact in a project that the machine's operator is no member of."""
    operator = served.operator
    project = operator.owner.ensure_project("rivals", "secret")
    run_id = operator.owner.create_run(
        project, "dev", "hidden", {"version": 1}, "6" * 64, "b" * 40, [], max_attempts=1, priority=0
    )
    claimed = operator.claim()
    assert claimed.run_id == run_id
    operator.executor.start_run(run_id, claimed.lease_token)
    stored = ArtifactStore(served.home / "artifacts").put_bytes("plan.csv", "query", b"theirs", "text/csv")
    artifact_id = operator.executor.register_artifact(run_id, claimed.lease_token, None, stored)
    operator.executor.complete_run(run_id, claimed.lease_token, {})
    return run_id, artifact_id


def test_another_teams_run_is_nowhere_to_be_seen(page: Page, served: Served) -> None:
    hidden, _ = of_another_team(served)
    page.goto(f"{served.where}/runs")
    page.wait_for_selector("table")
    assert str(hidden) not in page.content()
    page.goto(f"{served.where}/run?id={hidden}")
    expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
