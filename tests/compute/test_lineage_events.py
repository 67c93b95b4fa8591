"""A run's story as OpenLineage events: pairs of a beginning and an end, whatever becomes of the run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import pytest
from openlineage.client.event_v2 import RunEvent
from openlineage.client.serde import Serde

from compute.lineage.events import told
from compute.lineage.naming import Place, phase_run_id
from ops.catalog import Catalog
from ops.database import connect
from ops.lineage import LineageTelling
from ops.model import NewPhase, PhaseStatus, RunId, Scope
from pipelines.lake import Lake
from tests.compute.openlineage_spec import Json, faults
from tests.operating import Operator, commit

SPEC = {
    "version": 1,
    "pipeline": "demo",
    "owner": "@sales",
    "description": "Orders, tidied.",
    "phases": [
        {
            "name": "tidy",
            "kind": "transform",
            "inputs": {"o": "bronze.sale_order", "rates": "other/finance:gold.rates"},
            "sql": "select id, amount from o",
            "output": {"table": "silver.sale_order", "mode": "replace"},
        },
        {
            "name": "check",
            "kind": "validate",
            "table": "silver.sale_order",
            "on_fail": "warn",
            "expect": [{"rows": {"min": 1}}, {"nulls": {"column": "amount", "max": 0}}],
        },
        {
            "name": "publish",
            "kind": "publish",
            "table": "silver.sale_order",
            "to": {"postgres": {"dsn": "secret://file/gold_dsn", "table": "gold.sale_order"}},
        },
    ],
}
PHASES = (
    NewPhase("tidy", "transform"),
    NewPhase("check", "validate", ("tidy",)),
    NewPhase("publish", "publish", ("check",)),
)
LINEAGE = {
    "silver.sale_order": {
        "columns": {
            "amount": [
                {"table": "bronze.sale_order", "column": "amount", "kind": "DIRECT", "subtype": "AGGREGATION"},
                {"table": "bronze.sale_order", "column": "amount", "kind": "INDIRECT", "subtype": "SORT"},
            ]
        },
        "dataset": [{"table": "bronze.sale_order", "column": "state", "kind": "INDIRECT", "subtype": "FILTER"}],
    }
}
CHECKS = [
    {"rule": "rows", "ok": True, "expected": ">= 1", "observed": "30", "failed": 0},
    {"rule": "nulls amount", "ok": False, "expected": "<= 0.00%", "observed": "3.33% (1 of 30)", "failed": 1},
]


@pytest.fixture
def telling(operator: Operator) -> Iterator[LineageTelling]:
    with connect(operator.url, autocommit=True) as connection:
        yield LineageTelling(connection)


def events_of(telling: LineageTelling, run: RunId, lake: str = "/lake") -> list[Json]:
    """As a receiver gets them; every one of them is valid."""
    found = [as_json(each) for _, events in told(telling.story(run), lake) for each in events]
    assert [fault for each in found for fault in faults(each)] == []
    return found


def as_json(event: RunEvent) -> Json:
    parsed: Json = json.loads(Serde.to_json(event))
    return parsed


def lines(events: list[Json]) -> list[tuple[str, str]]:
    return [(each["job"]["name"], each["eventType"]) for each in events]


def tidied(operator: Operator) -> RunId:
    """A run that tidies, checks with a warning, and publishes."""
    operator.queue(spec=SPEC, phases=PHASES)
    run = operator.claim()
    token, executor = run.lease_token, operator.executor
    executor.start_run(run.run_id, token)
    executor.pin_inputs(run.run_id, token, {"tables": {"bronze.sale_order": 3, "other/finance:gold.rates": 8}})
    executor.start_phase(run.run_id, token, "tidy")
    executor.record_dataset(run.run_id, token, "tidy", commit())
    left = {"datasets": [{"table": "silver.sale_order", "version": 0}], "column_lineage": LINEAGE}
    executor.finish_phase(run.run_id, token, "tidy", PhaseStatus.SUCCEEDED, left)
    executor.start_phase(run.run_id, token, "check")
    executor.finish_phase(run.run_id, token, "check", PhaseStatus.SUCCEEDED, {"metrics": {"checks": CHECKS}})
    executor.start_phase(run.run_id, token, "publish")
    executor.finish_phase(run.run_id, token, "publish", PhaseStatus.SUCCEEDED, {})
    executor.complete_run(run.run_id, token, {})
    return run.run_id


def test_a_run_that_succeeds_says_what_was_made_from_what(operator: Operator, telling: LineageTelling) -> None:
    run = tidied(operator)
    _describe(operator)
    events = events_of(telling, run)
    assert lines(events) == [
        ("demo", "START"), ("demo.tidy", "START"), ("demo.tidy", "COMPLETE"), ("demo.check", "START"),
        ("demo.check", "COMPLETE"), ("demo.publish", "START"), ("demo.publish", "COMPLETE"), ("demo", "COMPLETE"),
    ]  # fmt: skip
    assert {each["job"]["namespace"] for each in events} == {"default/demo/dev"}
    assert events[0]["run"]["runId"] == events[-1]["run"]["runId"] == str(run)
    assert events[0]["job"]["facets"]["ownership"]["owners"] == [{"name": "@sales", "type": "OWNER"}]
    began, made = events[1], events[2]
    assert began["run"]["runId"] == made["run"]["runId"] == str(phase_run_id(run, "tidy", 1))
    assert made["run"]["facets"]["parent"]["run"]["runId"] == str(run)
    assert made["run"]["facets"]["parent"]["job"] == {"namespace": "default/demo/dev", "name": "demo", "facets": {}}
    assert made["job"]["facets"]["sql"]["query"] == "select id, amount from o"
    assert [(each["name"], each["facets"]["version"]["datasetVersion"]) for each in began["inputs"]] == [
        ("/lake/default/demo/dev/bronze/sale_order", "3"), ("/lake/other/finance/dev/gold/rates", "8"),
    ]  # fmt: skip
    assert [each["name"] for each in began["outputs"]] == ["/lake/default/demo/dev/silver/sale_order"]
    _the_output_is_described(made["outputs"][0])


def _describe(operator: Operator) -> None:
    with connect(operator.url, autocommit=True) as connection:
        catalog = Catalog(connection)
        project = operator.owner.ensure_project("default", "demo")
        found = catalog.entry(project, "dev", "silver.sale_order").dataset_id
        catalog.note_dataset(found, "One row an order.", ["@sales"], ["core"])
        catalog.note_column(found, "amount", "With tax.", ["money"], "yes")


def _the_output_is_described(output: Json) -> None:
    facets = output["facets"]
    assert (output["namespace"], facets["version"]["datasetVersion"]) == ("file", "0")
    assert facets["symlinks"]["identifiers"] == [
        {"namespace": "default/demo/dev", "name": "silver.sale_order", "type": "TABLE"}
    ]
    assert {(each["name"], each["type"], each.get("description")) for each in facets["schema"]["fields"]} == {
        ("id", "integer", None), ("amount", "decimal(16,2)", "With tax."),
    }  # fmt: skip
    assert facets["documentation"]["description"] == "One row an order."
    assert [each["name"] for each in facets["ownership"]["owners"]] == ["@sales"]
    assert {(each["key"], each["value"], each.get("field")) for each in facets["tags"]["tags"]} == {
        ("core", "true", None), ("money", "true", "amount"), ("pii", "yes", "amount"),
    }  # fmt: skip
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"
    statistics = output["outputFacets"]["outputStatistics"]
    assert (statistics["rowCount"], statistics["size"]) == (30, 4096)
    source = {"namespace": "file", "name": "/lake/default/demo/dev/bronze/sale_order"}
    columns = facets["columnLineage"]
    assert columns["fields"] == {
        "amount": {
            "inputFields": [
                {
                    **source, "field": "amount",
                    "transformations": [
                        {"type": "DIRECT", "subtype": "AGGREGATION"}, {"type": "INDIRECT", "subtype": "SORT"},
                    ],
                }
            ]
        }
    }  # fmt: skip
    assert columns["dataset"] == [
        {**source, "field": "state", "transformations": [{"type": "INDIRECT", "subtype": "FILTER"}]}
    ]


def test_checks_are_assertions_of_what_was_checked(operator: Operator, telling: LineageTelling) -> None:
    events = events_of(telling, tidied(operator))
    [checked] = events[4]["inputs"]
    assert checked["name"] == "/lake/default/demo/dev/silver/sale_order"
    assert checked["facets"]["version"]["datasetVersion"] == "0"
    assert checked["inputFacets"]["dataQualityAssertions"]["assertions"] == [
        {
            "assertion": "rows", "success": True, "severity": "warn", "name": "rows", "expected": ">= 1", "actual": "30",
            "params": {},
        },
        {
            "assertion": "nulls", "success": False, "column": "amount", "severity": "warn", "name": "nulls amount",
            "expected": "<= 0.00%", "actual": "3.33% (1 of 30)", "params": {},
        },
    ]  # fmt: skip


def test_what_is_published_is_named_by_the_reference_and_not_by_what_it_hides(
    operator: Operator, telling: LineageTelling
) -> None:
    published = events_of(telling, tidied(operator))[6]
    assert [(each["namespace"], each["name"]) for each in published["outputs"]] == [
        ("secret://file/gold_dsn", "gold.sale_order")
    ]
    assert [each["name"] for each in published["inputs"]] == ["/lake/default/demo/dev/silver/sale_order"]


def test_a_failed_check_says_why_and_what_was_seen(operator: Operator, telling: LineageTelling) -> None:
    operator.queue(spec=SPEC, phases=PHASES, max_attempts=1)
    run = operator.claim()
    token, executor = run.lease_token, operator.executor
    executor.start_run(run.run_id, token)
    executor.start_phase(run.run_id, token, "check")
    failure = {"error_code": "CHECK_FAILED", "error_message": "nulls amount", "error_data": {"checks": CHECKS}}
    executor.finish_phase(run.run_id, token, "check", PhaseStatus.FAILED, failure)
    executor.fail_run(run.run_id, token, "CHECK_FAILED", "nulls amount")
    events = events_of(telling, run.run_id)
    assert lines(events)[-2:] == [("demo.check", "FAIL"), ("demo", "FAIL")]
    for each in events[-2:]:
        assert each["run"]["facets"]["errorMessage"]["message"] == "nulls amount"
    seen = events[-2]["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [each["success"] for each in seen] == [True, False]


def test_each_try_is_a_run_of_its_own_and_a_lost_owners_is_aborted(operator: Operator, telling: LineageTelling) -> None:
    operator.queue(spec=SPEC, phases=PHASES)
    first = operator.claim(lease_seconds=0.2)
    operator.executor.start_run(first.run_id, first.lease_token)
    operator.executor.start_phase(first.run_id, first.lease_token, "tidy")
    with connect(operator.url, autocommit=True) as connection:
        connection.execute("update ops.run_leases set expires_at = clock_timestamp() - interval '1 second'")
    assert operator.owner.requeue_stale_runs(0.0) == 1
    again = operator.claim()
    token = again.lease_token
    operator.executor.start_run(again.run_id, token)
    operator.executor.start_phase(again.run_id, token, "tidy")
    lost = {"error_code": "STORAGE_FAILED", "error_message": "full"}
    operator.executor.finish_phase(again.run_id, token, "tidy", PhaseStatus.FAILED, lost)
    operator.executor.start_phase(again.run_id, token, "tidy")
    operator.executor.fail_run(again.run_id, token, "STORAGE_FAILED", "full", retryable=False)
    events = events_of(telling, again.run_id)
    assert lines(events) == [
        ("demo", "START"), ("demo.tidy", "START"), ("demo.tidy", "ABORT"), ("demo", "RUNNING"), ("demo.tidy", "START"),
        ("demo.tidy", "FAIL"), ("demo.tidy", "START"), ("demo.tidy", "ABORT"), ("demo", "FAIL"),
    ]  # fmt: skip
    tries = Counter(each["run"]["runId"] for each in events if each["job"]["name"] == "demo.tidy")
    assert tries == {str(phase_run_id(again.run_id, "tidy", number)): 2 for number in (1, 2, 3)}
    # The same for whoever computes it again.
    assert events == events_of(telling, again.run_id)


def test_what_was_canceled_before_it_began_begins_and_ends_at_once(operator: Operator, telling: LineageTelling) -> None:
    run = operator.queue(spec=SPEC, phases=PHASES)
    assert events_of(telling, run) == []
    operator.owner.cancel_run(run, "never mind")
    assert lines(events_of(telling, run)) == [("demo", "START"), ("demo", "ABORT")]


def test_a_phase_that_was_canceled_is_aborted(operator: Operator, telling: LineageTelling) -> None:
    operator.queue(spec=SPEC, phases=PHASES)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.start_phase(run.run_id, run.lease_token, "tidy")
    stopped = {"error_code": "RUN_CANCELED", "error_message": "canceled while it ran"}
    operator.executor.finish_phase(run.run_id, run.lease_token, "tidy", PhaseStatus.CANCELED, stopped)
    assert lines(events_of(telling, run.run_id))[-1] == ("demo.tidy", "ABORT")


def test_a_retry_names_the_run_that_it_retries(operator: Operator, telling: LineageTelling) -> None:
    operator.queue(spec=SPEC, phases=PHASES, max_attempts=1)
    first = operator.claim()
    operator.executor.start_run(first.run_id, first.lease_token)
    operator.executor.fail_run(first.run_id, first.lease_token, "CHECK_FAILED", "no")
    retry = operator.owner.retry_run(first.run_id)
    operator.owner.cancel_run(retry, "")
    parent = events_of(telling, retry)[0]["run"]["facets"]["parent"]
    assert UUID(parent["run"]["runId"]) == first.run_id
    assert parent["job"]["name"] == "demo"


@pytest.mark.parametrize("url", ["/var/lake", "s3://bucket/some/prefix", "s3://bucket"])
def test_tables_are_named_by_where_the_lake_has_them(url: str) -> None:
    scope = Scope("default", "demo", "dev")
    place, lake = Place(url, scope), Lake(url, scope)
    for table in ("gold.sales", "other/finance:gold.rates"):
        joined = place.name(table) if place.namespace == "file" else f"{place.namespace}/{place.name(table)}"
        assert joined == lake.path(table)


def test_the_check_of_the_events_finds_faults(operator: Operator, telling: LineageTelling) -> None:
    event = events_of(telling, tidied(operator))[2]
    for spoil, said in {
        "eventTime": ("yesterday", "date-time"),
        "eventType": ("DONE", "not one of"),
        "producer": (None, "string"),
        "extra": (1, "Additional"),
        "job": ({"namespace": "x"}, "required"),
        "run": ({"runId": "7"}, "uuid"),
        "inputs": ([{"namespace": "x", "name": "y", "facets": {"version": {"datasetVersion": "1"}}}], "_producer"),
        "outputs": ([{"namespace": "x", "name": "y", "facets": {"unheard_of": {}}}], "unheard_of"),
    }.items():
        value, word = said
        assert word in " ".join(faults({**event, spoil: value})), spoil
