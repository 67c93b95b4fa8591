"""The lake's tables: what the pages say of them, first without a page, then in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Page, expect

from dashboard.views.charts import rows_over_time, version_frame
from dashboard.views.datasets import (
    EFFECTS,
    begins,
    by_layer,
    changes,
    column_lines,
    facts,
    freshness_words,
    readable,
    row_sources,
    steps_down,
    steps_up,
)
from dashboard.views.lineage import may_go_on, of_column, of_table, words
from ops.catalog import Catalog, ColumnNote
from ops.dataset_reads import (
    BEGINNING,
    ColumnSource,
    ColumnStep,
    DatasetDetail,
    Datasets,
    DatasetSummary,
    Neighbour,
    TableStep,
    WrittenVersion,
)
from ops.errors import NotFound
from ops.model import DatasetVersion, PhaseStatus, RunId, TableVersion
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.test_views import NOW
from tests.operating import Operator, commit

ID, OTHER = UUID(int=1), UUID(int=2)
SUMMARY = DatasetSummary(
    ID, "acme", "books", "dev", "silver", "orders", 3, 1200, 4096, NOW - timedelta(hours=2), RunId(UUID(int=9)), "load",
    "", "warn", 7300.0,
)  # fmt: skip
DETAIL = DatasetDetail(
    ID, OTHER, "acme", "books", "dev", "silver", "orders", 3, 1200, "v1:abcdefghijkl", NOW - timedelta(hours=2), "", (),
    (), "ok", 60.0, "event",
)  # fmt: skip
VERSION = WrittenVersion(
    3, RunId(UUID(int=9)), "p", "merge", 10, 1200, 4096, "v1:abc", {"id": "long", "at": "timestamp"}, NOW, False, "load",
    "succeeded",
)  # fmt: skip
SOURCE = ColumnSource("total", "bronze.lines", "amount", "DIRECT", "AGGREGATION", OTHER)


def test_tables_stand_under_their_layers_and_what_is_not_released_says_so() -> None:
    unreleased = replace(
        SUMMARY,
        layer="gold",
        version=None,
        total_rows=None,
        byte_size=None,
        released_at=None,
        run_id=None,
        pipeline=None,
    )
    layers = by_layer([SUMMARY, replace(SUMMARY, name="z"), unreleased], NOW)
    assert [(layer, len(lines)) for layer, lines in layers] == [("silver", 2), ("gold", 1)]
    line, empty = layers[0][1][0], layers[1][1][0]
    assert (line.rows, line.size, line.released, line.fresh) == ("1,200", "4.1 kB", "2 h ago", "getting old: 2 h 1 min")
    assert (empty.version, empty.rows, empty.released) == ("not yet", "", "no run that wrote it has succeeded")
    assert freshness_words(None, None) == ("", "quiet")


def test_a_place_in_the_list_is_read_from_an_address() -> None:
    assert begins(f"silver/orders/{ID}") == ("silver", "orders", ID)
    assert [begins(each) for each in (None, "", "silver/orders", "a/b/c")] == [BEGINNING] * 4


def test_numbers_say_where_a_newer_version_waits_for_its_run() -> None:
    named = {fact.name: fact for fact in facts(DETAIL, replace(VERSION, version=4), NOW)}
    assert named["version"].value == "3"
    assert named["version"].more == "version 4 is written, not released"
    never = replace(DETAIL, version=None, total_rows=None, released_at=None, freshness=None, lag_seconds=None)
    assert [fact.value for fact in facts(never, None, NOW)][:5] == ["–", "–", "–", "never", "no rule"]


def test_a_column_says_what_it_is_and_where_it_comes_from() -> None:
    notes = {"total": ColumnNote("what was paid", ("money",), "suspected", "bronze.lines.amount")}
    filtered = replace(SOURCE, column="*", kind="INDIRECT", subtype="FILTER", input_id=None)
    total, id_ = column_lines({"total": "decimal", "id": "long"}, notes, [SOURCE, filtered])
    assert total.pii == "suspected to be personal data"
    assert total.sources == (("aggregated from", "bronze.lines.amount", str(OTHER)),)
    assert (id_.pii, id_.sources) == ("", ())
    assert row_sources([SOURCE, filtered]) == [("filtered by", "bronze.lines.amount", "")]


def test_every_effect_that_the_schema_knows_has_a_word(connection: psycopg.Connection) -> None:
    query = """
        select pg_get_constraintdef(oid) from pg_constraint
        where conrelid = 'ops.column_edges'::regclass and pg_get_constraintdef(oid) like '%IDENTITY%'
    """
    [[definition]] = connection.execute(query).fetchall()
    assert {word for word in EFFECTS if f"'{word}'" in definition} == set(EFFECTS)
    assert definition.count("'") == 2 * len(EFFECTS)


def test_a_neighbour_says_which_version_was_read_and_whether_there_is_a_newer_one() -> None:
    near = Neighbour("bronze.lines", 3, OTHER, 5)
    assert [(step.note, step.tone) for step in steps_up([near, replace(near, newest=3)])] == [
        ("version 3; 5 is there by now", "waits"), ("version 3", "good"),
    ]  # fmt: skip
    assert steps_down([near])[0].note == "has version 3 of this; 5 is not in it yet"
    assert steps_up([replace(near, dataset_id=None, newest=None)])[0].dataset_id == ""


def test_changes_of_columns_are_told_against_the_version_before() -> None:
    older = replace(VERSION, version=2, columns={"id": "integer", "gone": "string"})
    found = [(each.version, each.change, each.column) for each in changes([VERSION, older])]
    assert found == [(3, "added", "at"), (3, "removed", "gone"), (3, "retyped", "id")]
    assert changes([]) == []


def test_what_readers_never_got_is_not_offered_to_be_read() -> None:
    failed = replace(VERSION, version=5, run_status="failed")
    hidden = replace(VERSION, version=6, run_status=None)
    rows = [
        hidden,
        failed,
        replace(VERSION, version=4, run_status="failed"),
        replace(VERSION, version=3, run_status="succeeded"),
    ]
    assert readable(rows, 4) == [6, 4, 3]
    assert readable(rows, None) == []


def test_the_chart_has_a_point_a_version_and_begins_at_nothing() -> None:
    frame = version_frame([VERSION, replace(VERSION, version=2, total_rows=7, recorded_at=NOW - timedelta(days=1))])
    assert frame["version"].to_list() == [2, 3]
    chart = rows_over_time(frame).to_dict()
    assert chart["mark"]["interpolate"] == "step-after"
    assert chart["encoding"]["y"]["scale"] == {"zero": True}
    [points] = chart["datasets"].values()
    assert [point["rows"] for point in points] == [7, 1200]
    assert rows_over_time(version_frame([])).to_dict()


def wrote(operator: Operator, *commits: DatasetVersion, lineage: Mapping[str, object] | None = None) -> RunId:
    """A run that wrote these and has succeeded."""
    run_id, token = operator.running()
    for phase in ("bronze", "checks"):
        operator.executor.start_phase(run_id, token, phase)
        if phase == "bronze":
            for each in commits:
                operator.executor.record_dataset(run_id, token, phase, each)
        names = [{"table": each.table, "version": each.version} for each in commits] if phase == "bronze" else []
        result = {"datasets": names, "column_lineage": dict(lineage or {})}
        operator.executor.finish_phase(run_id, token, phase, PhaseStatus.SUCCEEDED, result)
    operator.executor.complete_run(run_id, token, {})
    return run_id


@pytest.fixture(scope="module")
def lake(served: Served) -> Served:
    """bronze.lines → silver.orders (two versions, one column added) → gold.revenue (made from the first)."""
    operator = served.operator
    wrote(operator, replace(commit(table="bronze.lines"), inputs=()))
    read = (TableVersion("bronze.lines", 0, commit().fingerprint),)
    edges = [{"table": "bronze.lines", "column": "amount", "kind": "DIRECT", "subtype": "IDENTITY"}]
    said = {"silver.orders": {"columns": {"amount": edges}, "dataset": []}}
    wrote(operator, replace(commit(table="silver.orders"), inputs=read), lineage=said)
    grown = {**commit().schema, "paid": "boolean"}
    again = replace(commit(1, "silver.orders"), inputs=read, schema=grown, total_rows=45)
    gold = replace(commit(table="gold.revenue"), inputs=(TableVersion("silver.orders", 0, commit().fingerprint),))
    wrote(operator, gold)
    wrote(operator, again, lineage=said)
    return served


def dataset_id(served: Served, table: str) -> UUID:
    project = served.operator.owner.ensure_project("default", "demo")
    return Catalog(served.operator.owner.source).entry(project, "dev", table).dataset_id


def test_the_list_leads_to_a_table_and_from_there_to_its_neighbours(watched: Watched, lake: Served) -> None:
    page = watched.page
    page.goto(f"{lake.where}/data")
    expect(page.locator("th.group")).to_have_text(["bronze", "silver", "gold"])
    row = page.locator("tr", has=page.get_by_role("link", name="silver.orders"))
    expect(row).to_contain_text("45")
    row.get_by_role("link", name="silver.orders").click()
    expect(page.locator(".tile", has_text="fingerprint").locator("xpath=..").locator(".value").first).to_have_text("1")
    expect(page.get_by_label("made from")).to_contain_text("bronze.lines")
    expect(page.get_by_label("goes into")).to_contain_text("has version 0 of this; 1 is not in it yet")
    expect(page.locator("tr", has_text="taken over")).to_contain_text("bronze.lines.amount")
    expect(page.locator("tr", has_text="added paid")).to_contain_text("what readers get")
    expect(page.get_by_test_id("stVegaLiteChart")).to_be_visible()
    expect(page.get_by_text('controlroom sql "select * from silver.orders" --env dev')).to_be_visible()
    page.get_by_label("goes into").get_by_role("link", name="gold.revenue").click()
    expect(page.get_by_role("heading", name="gold.revenue")).to_be_visible()
    expect(page.get_by_label("goes into")).to_contain_text("no other table")
    page.get_by_role("link", name="demo").first.click()
    page.get_by_role("link", name="gold.revenue").click()
    expect(page.get_by_role("heading", name="gold.revenue")).to_be_visible()
    assert watched.hosts == {lake.where.removeprefix("http://")}
    assert watched.complaints == []


STEP = TableStep("bronze.lines", "silver.orders", 2, 0, UUID(int=1), 2, UUID(int=2))


def test_a_graph_marks_what_was_made_from_old_versions_and_leads_to_the_rest() -> None:
    foreign = TableStep("acme/rates:gold.rates", "silver.orders", 1, 0, None, None, UUID(int=2))
    old = TableStep("silver.orders", "gold.revenue", 3, 0, UUID(int=2), 4, UUID(int=3))
    found = of_table(
        [STEP, replace(STEP, source="silver.orders", source_id=UUID(int=2), newest=9), foreign, old],
        "silver.orders",
        cut=False,
    )
    nodes = {box.name: node for box, node in found.boxes}
    assert {name: (node.tone, node.note) for name, node in nodes.items()} == {
        "bronze.lines": ("good", "bronze"),
        "silver.orders": ("busy", "silver"),
        "acme/rates:gold.rates": ("quiet", "another project's"),
        "gold.revenue": ("waits", "gold, behind"),
    }
    assert nodes["bronze.lines"].href == f"dataset?id={UUID(int=1)}&graph=true"
    assert (nodes["silver.orders"].href, nodes["acme/rates:gold.rates"].href) == ("", "")
    assert found.graph is not None
    left = {box.name: box.left for box in found.graph.boxes}
    assert left["bronze.lines"] < left["silver.orders"] < left["gold.revenue"]
    assert words(found) == "Amber was made from versions that are not the newest any more."


def test_a_graph_of_nothing_is_one_box_and_a_circle_is_told_in_words() -> None:
    assert [node.name for _, node in of_table([], "bronze.lines", cut=False).boxes] == ["lines"]
    back = TableStep("silver.orders", "bronze.lines", 1, 0, UUID(int=2), 1, UUID(int=1))
    round_ = of_table([STEP, back], "bronze.lines", cut=True)
    assert (round_.graph, round_.steps) == (
        None, ("bronze.lines (version 2) → silver.orders", "silver.orders (version 1) → bronze.lines"),
    )  # fmt: skip
    assert [may_go_on([STEP], far, most) for far, most in ((2, 2), (1, 2), (2, 1))] == [False, True, True]
    assert words(round_) == "There may be more, further away than is drawn here."


def test_a_column_is_followed_by_what_is_done_to_it() -> None:
    steps = [
        ColumnStep("bronze.lines", "amount", "silver.orders", "amount", "IDENTITY", 0, UUID(int=1), UUID(int=2)),
        ColumnStep("silver.orders", "amount", "gold.revenue", "sum", "AGGREGATION", 0, UUID(int=2), UUID(int=3)),
    ]
    found = of_column(steps, "silver.orders", "amount", cut=False)
    assert {(node.name, node.note, node.href) for _, node in found.boxes} == {
        ("amount", "bronze.lines", f"dataset?id={UUID(int=1)}&graph=true&column=amount"),
        ("amount", "silver.orders, taken over", ""),
        ("sum", "gold.revenue, aggregated from", f"dataset?id={UUID(int=3)}&graph=true&column=sum"),
    }


def test_all_steps_of_a_table_and_of_a_column_are_clicked_through(watched: Watched, lake: Served) -> None:
    page = watched.page
    page.goto(f"{lake.where}/dataset?id={dataset_id(lake, 'bronze.lines')}")
    page.get_by_text("All steps of the lineage").click()
    drawn = page.get_by_label("graph of the lineage")
    expect(drawn.locator(".box .name")).to_have_text(["lines", "orders", "revenue"])
    expect(drawn.locator(".box.waits")).to_contain_text("revenue")
    drawn.get_by_role("link", name="orders").click()
    expect(page.get_by_role("heading", name="silver.orders")).to_be_visible()
    expect(drawn.locator(".box.busy .name")).to_have_text("orders")
    page.get_by_label("Of", exact=True).click()
    page.get_by_role("option", name="amount", exact=True).click()
    expect(drawn.locator(".box.busy")).to_have_text("amountsilver.orders, taken over")
    drawn.get_by_role("link", name="amount").click()
    expect(page.get_by_role("heading", name="bronze.lines")).to_be_visible()
    expect(drawn.locator(".box.busy")).to_have_text("amountbronze.lines")
    assert watched.complaints == []


@pytest.mark.parametrize(
    ("address", "found"),
    [("?text=ORD", 1), ("?layer=bronze&layer=gold", 2), ("?env=prod", 0), ("?project=default%2Fdemo&env=dev", 3)],
)
def test_an_address_is_a_view(page: Page, lake: Served, address: str, found: int) -> None:
    page.goto(f"{lake.where}/data{address}")
    expect(page.locator("tbody tr", has=page.locator("a[href^='dataset']"))).to_have_count(found)
    if not found:
        expect(page.get_by_text("No table is like that")).to_be_visible()


def test_a_table_that_is_not_there_and_none_at_all(page: Page, lake: Served) -> None:
    page.goto(f"{lake.where}/dataset?id={OTHER}")
    expect(page.get_by_role("alert")).to_contain_text("NOT_FOUND")
    page.goto(f"{lake.where}/dataset?id=orders")
    expect(page.get_by_text("No table is named")).to_be_visible()


def test_pages_of_tables_and_versions_follow_each_other(lake: Served) -> None:
    reading = Datasets(lake.operator.owner.source)
    tables, after = [], BEGINNING
    while rows := reading.page(after=after, limit=2):
        tables += [f"{row.layer}.{row.name}" for row in rows]
        after = (rows[-1].layer, rows[-1].name, rows[-1].dataset_id)
    assert tables == ["bronze.lines", "silver.orders", "gold.revenue"]
    orders = dataset_id(lake, "silver.orders")
    assert [each.version for each in reading.versions(orders, limit=1)] == [1]
    assert [each.version for each in reading.versions(orders, before=1)] == [0]
    assert reading.layers() == ["bronze", "silver", "gold"]
    with pytest.raises(NotFound):
        reading.one(OTHER)
