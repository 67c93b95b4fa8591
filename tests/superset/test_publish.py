"""What a publish makes, keeps and mends."""

from __future__ import annotations

import json

import pytest

from controlroom import bi
from ops.bi import Bi, BiObject
from ops.database import connect
from ops.errors import Conflict
from ops.reads import Reads
from superset.client import Json, Superset
from superset.verify import chart_data
from tests.superset.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def recorded(world: World, org: str) -> dict[tuple[str, str], BiObject]:
    with connect(world.ops, autocommit=True) as owner:
        project = Reads(owner).project_id(org, "demo")
        return {(one.kind, one.name): one for one in Bi(owner).objects(project, "dev")}


def dataset(admin: Superset, world: World, org: str) -> Json:
    found: Json = admin.get(f"/dataset/{recorded(world, org)['dataset', 'revenue_by_month'].superset_uuid}")["result"]
    return found


def republish(world: World, org: str) -> None:
    bi.publish_gold(world.settings(org), lambda _: None)


def test_a_dataset_says_what_the_contract_says_and_what_it_is_certified_for(published: World, acme: str) -> None:
    record = recorded(published, acme)["dataset", "revenue_by_month"]
    with published.server.admin() as admin:
        found = dataset(admin, published, acme)
        details = json.loads(found["extra"])["certification"]["details"]
    columns = {one["column_name"]: (one["verbose_name"], one["type"], one["is_dttm"]) for one in found["columns"]}
    assert columns["revenue"] == ("Revenue", "NUMERIC(38,2)", False)
    assert columns["month"] == ("Month", "DATE", True)
    assert {one["metric_name"] for one in found["metrics"]} >= {"sum_revenue", "sum_invoices"}
    assert record.fingerprint is not None
    assert str(record.run_id) in details
    assert record.fingerprint in details


def test_a_repeat_changes_nothing_and_keeps_ids(published: World, acme: str) -> None:
    before = recorded(published, acme)
    republish(published, acme)
    assert recorded(published, acme) == before
    assert [one for one in bi.plan_gold(published.settings(acme)) if one.action != "keep"] == []


def test_what_people_made_survives(published: World, acme: str) -> None:
    with published.server.admin() as admin:
        found = dataset(admin, published, acme)
        keys = ("id", "metric_name", "expression", "extra", "d3format", "verbose_name", "description")
        metrics = [{name: one[name] for name in keys} for one in found["metrics"]]
        metrics.append({"metric_name": "best", "expression": "max(revenue)", "verbose_name": "Best month"})
        admin.put(f"/dataset/{found['id']}", {"metrics": metrics})
    with published.sign_in(acme, f"ed-{acme}") as editor:
        chart = editor.post(
            "/chart/",
            {
                "slice_name": "My own", "viz_type": "big_number_total", "datasource_id": found["id"],
                "datasource_type": "table", "params": json.dumps({"metric": "best", "viz_type": "big_number_total"}),
            },
        )  # fmt: skip
    published.release(acme, [1, 2, 999])
    republish(published, acme)
    with published.server.admin() as admin:
        after = dataset(admin, published, acme)
        assert after["id"] == found["id"]
        assert "max(revenue)" in {one["expression"] for one in after["metrics"]}
        assert admin.get(f"/chart/{chart['id']}")["result"]["datasource_id"] == after["id"]
    with published.sign_in(acme, f"ed-{acme}") as editor:
        assert "999" in chart_data(editor, after["id"], metrics=["best"]).text


def test_a_metric_of_our_name_is_not_taken_from_whoever_made_it(published: World, acme: str) -> None:
    with published.server.admin() as admin:
        found = dataset(admin, published, acme)
        theirs = [{"metric_name": "sum_revenue", "expression": "sum(revenue) / 2"}]
        admin.put(f"/dataset/{found['id']}", {"metrics": []})
        admin.put(f"/dataset/{found['id']}", {"metrics": theirs})
        with pytest.raises(Conflict, match="metric sum_revenue that was made by hand"):
            republish(published, acme)
        assert dataset(admin, published, acme)["metrics"][0]["expression"] == "sum(revenue) / 2"
        admin.put(f"/dataset/{found['id']}", {"metrics": []})
    republish(published, acme)


def test_edits_by_hand_are_shown_and_undone(published: World, acme: str) -> None:
    records = recorded(published, acme)
    chart, dashboard = records["chart", "revenue_by_month/Invoices"], records["dashboard", "revenue_by_month"]
    with published.server.admin() as admin:
        admin.put(f"/chart/{chart.superset_id}", {"slice_name": "Bills"})
        admin.put(f"/dashboard/{dashboard.superset_id}", {"published": False})
        admin.put(f"/dataset/{records['dataset', 'revenue_by_month'].superset_id}", {"description": "Mine"})
    edited = {(one.kind, one.name): one.fields for one in bi.plan_gold(published.settings(acme)) if one.by_hand}
    assert edited == {
        ("chart", "revenue_by_month/Invoices"): ["title"],
        ("dashboard", "revenue_by_month"): ["published"],
        ("dataset", "revenue_by_month"): ["description"],
    }
    republish(published, acme)
    assert [one for one in bi.plan_gold(published.settings(acme)) if one.action != "keep" or one.by_hand] == []


def test_a_dataset_that_was_deleted_by_hand_comes_back_with_its_rules_and_charts(published: World, acme: str) -> None:
    before = recorded(published, acme)["dataset", "revenue_by_month"]
    with published.sign_in(acme, f"ed-{acme}") as editor:
        chart = editor.post(
            "/chart/",
            {
                "slice_name": "My own", "viz_type": "table", "datasource_id": before.superset_id,
                "datasource_type": "table",
                "params": json.dumps({"datasource": f"{before.superset_id}__table"}),
            },
        )  # fmt: skip
    with published.server.admin() as admin:
        admin.delete(f"/dataset/{before.superset_id}")
    steps = {(one.kind, one.name): (one.action, one.by_hand) for one in bi.plan_gold(published.settings(acme))}
    assert steps["dataset", "revenue_by_month"] == ("create", True)
    assert bi.verify_gold(published.settings(acme))[1] != []
    republish(published, acme)
    after = recorded(published, acme)["dataset", "revenue_by_month"]
    assert after.superset_uuid == before.superset_uuid
    assert bi.verify_gold(published.settings(acme))[1] == []
    with published.server.admin() as admin:
        assert admin.get(f"/chart/{chart['id']}")["result"]["datasource_id"] == after.superset_id


def test_what_did_not_pass_its_checks_is_published_and_not_certified(published: World, acme: str) -> None:
    published.release(acme, [1, 2, 3], passed=False)
    republish(published, acme)
    assert recorded(published, acme)["dataset", "revenue_by_month"].certified_at is None
    with published.server.admin() as admin:
        assert "certification" not in json.loads(dataset(admin, published, acme)["extra"] or "{}")
    published.release(acme, [1, 2, 4])
    republish(published, acme)
    assert recorded(published, acme)["dataset", "revenue_by_month"].certified_at is not None


def test_readers_see_new_rows_at_once(published: World, acme: str) -> None:
    """What was cached is gone after a publish."""
    ours = recorded(published, acme)["dataset", "revenue_by_month"].superset_id
    body = {
        "datasource": {"id": ours, "type": "table"}, "result_format": "json", "result_type": "full",
        "queries": [{"columns": [], "metrics": ["sum_revenue"], "row_limit": 10}],
    }  # fmt: skip
    with published.sign_in(acme, f"ann-{acme}") as session:
        published.release(acme, [100, 200, 301])
        republish(published, acme)
        assert "601" in json.dumps(session.post("/chart/data", body))
        assert session.post("/chart/data", body)["result"][0]["is_cached"]
        published.release(acme, [1, 1, 1])
        assert "601" in json.dumps(session.post("/chart/data", body)), "the cache was not used at all"
        republish(published, acme)
        assert session.post("/chart/data", body)["result"][0]["data"] == [{"sum_revenue": 3.0}]


def test_unpublish_leaves_nothing(published: World, acme: str) -> None:
    world = published
    bi.unpublish_gold(world.settings(acme))
    _is_gone(world, acme)
    republish(world, acme)


def _is_gone(world: World, acme: str) -> None:
    assert recorded(world, acme) == {}
    with world.server.admin() as admin:
        for path in ("/dataset/", "/dashboard/", "/database/", "/rowlevelsecurity/", "/security/roles/"):
            assert [row for row in admin.every(path) if acme in json.dumps(row)] == [], path
        user = next(row for row in admin.every("/security/users/") if row["username"] == f"ann-{acme}")
        assert user["active"] is False
    assert world.query("select count(*) from gold_access.readers") == [(0,)]
