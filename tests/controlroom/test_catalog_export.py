"""The catalog in the forms that other catalogs take in, checked against their own definitions."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.catalog import Catalog
from ops.database import connect
from ops.embedded import Cluster
from tests.compute.openlineage_spec import Json, faults
from tests.compute.test_lineage_events import tidied
from tests.controlroom.shapes import datahub_faults, openmetadata_faults
from tests.controlroom.terminal import Terminal
from tests.controlroom.test_catalog import Quick, done
from tests.operating import Operator

SALES = "urn:li:dataset:(urn:li:dataPlatform:delta-lake,default.demo.silver.sale_order,DEV)"
BRONZE = SALES.replace("silver", "bronze")


@pytest.fixture
def quick(operator: Operator, terminal: Terminal) -> Quick:
    """A terminal on a catalog with one table that a run has written and people have described."""
    tidied(operator)
    with connect(operator.url, autocommit=True) as connection:
        catalog = Catalog(connection)
        project = operator.owner.ensure_project("default", "demo")
        found = catalog.entry(project, "dev", "silver.sale_order").dataset_id
        connection.execute(
            "update ops.dataset_versions set columns = columns || %s::jsonb",
            [json.dumps({"a,b (c)": "string", "many": 'ArrayType(PrimitiveType("long"), contains_null=True)'})],
        )
        connection.execute(
            "update ops.datasets d set columns = v.columns from ops.dataset_versions v where v.dataset_id = d.id"
        )
        catalog.note_dataset(found, "One row an order.", ["@sales", "ada"], ["core"])
        catalog.note_column(found, "amount", "With tax.", ["money"], "yes")
        catalog.note_column(found, "a,b (c)", pii="no")
    return Quick(terminal.home, terminal.database_url)


def test_datahub_takes_every_proposal(quick: Quick, tmp_path: Path) -> None:
    target = tmp_path / "catalog.json"
    done(quick("catalog", "export", "--format", "datahub", "-o", str(target)))
    proposals: list[Json] = json.loads(target.read_text())
    assert list(datahub_faults(proposals)) == []
    aspects = {each["aspectName"]: each["aspect"]["json"] for each in proposals if each["entityUrn"] == SALES}
    assert aspects["editableDatasetProperties"]["description"] == "One row an order."
    assert [each["owner"] for each in aspects["ownership"]["owners"]] == [
        "urn:li:corpGroup:sales",
        "urn:li:corpuser:ada",
    ]
    assert aspects["globalTags"] == {"tags": [{"tag": "urn:li:tag:core"}]}
    assert aspects["datasetProperties"]["customProperties"] == {
        "version": "0", "total_rows": "30", "fingerprint": "v1:abc", "written_by": "demo.tidy",
    }  # fmt: skip
    kinds = {each["fieldPath"]: next(iter(each["type"]["type"])) for each in aspects["schemaMetadata"]["fields"]}
    assert kinds == {
        "id": "com.linkedin.schema.NumberType", "amount": "com.linkedin.schema.NumberType",
        "a,b (c)": "com.linkedin.schema.StringType", "many": "com.linkedin.schema.ArrayType",
    }  # fmt: skip
    [words] = aspects["editableSchemaMetadata"]["editableSchemaFieldInfo"]
    assert words == {
        "fieldPath": "amount", "description": "With tax.",
        "globalTags": {"tags": [{"tag": "urn:li:tag:money"}, {"tag": "urn:li:tag:pii"}]},
    }  # fmt: skip
    assert {each["entityUrn"] for each in proposals if each["entityType"] == "tag"} == {
        "urn:li:tag:core", "urn:li:tag:money", "urn:li:tag:pii",
    }  # fmt: skip
    _upstreams_are_right(aspects["upstreamLineage"])


def _upstreams_are_right(upstream: Json) -> None:
    assert [each["dataset"] for each in upstream["upstreams"]] == [BRONZE]
    found = {
        (each["transformOperation"], tuple(each["upstreams"]), tuple(each["downstreams"]))
        for each in upstream["fineGrainedLineages"]
    }
    amount = f"urn:li:schemaField:({SALES},amount)"
    source = f"urn:li:schemaField:({BRONZE},amount)"
    [rows] = [each for each in found if each[0] == "INDIRECT:FILTER"]
    assert found - {rows} == {("DIRECT:AGGREGATION", (source,), (amount,)), ("INDIRECT:SORT", (source,), (amount,))}
    assert rows[1] == (f"urn:li:schemaField:({BRONZE},state)",)
    assert set(rows[2]) >= {amount, f"urn:li:schemaField:({SALES},a%2Cb %28c%29)"} and len(rows[2]) == 4


def test_openmetadata_takes_every_request(quick: Quick) -> None:
    text = done(quick("catalog", "export", "--format", "openmetadata"))
    assert openmetadata_faults(text) == []
    lines = [json.loads(line) for line in text.splitlines()]
    assert [each["path"].removeprefix("/api/v1/").split("/name/")[0] for each in lines] == [
        "services/databaseServices", "databases", "databaseSchemas", "classifications", "tags", "tags", "tables",
        "lineage/table",
    ]  # fmt: skip
    table, lineage = lines[-2], lines[-1]
    assert table["owners"] == ["/api/v1/teams/name/sales", "/api/v1/users/name/ada"]
    assert table["body"]["databaseSchema"] == "controlroom_default.demo_dev.silver"
    columns = {each["name"]: each for each in table["body"]["columns"]}
    assert {name: each["dataType"] for name, each in columns.items()} == {
        "id": "INT", "amount": "DECIMAL", "a,b (c)": "STRING", "many": "ARRAY",
    }  # fmt: skip
    assert (columns["amount"]["precision"], columns["amount"]["scale"]) == (16, 2)
    assert columns["many"]["arrayDataType"] == "BIGINT"
    assert [each["tagFQN"] for each in columns["amount"]["tags"]] == ["ControlRoom.money", "PII.Sensitive"]
    ends = unquote(lineage["path"]).split("/name/")[1:]
    assert [end.removesuffix("/table") for end in ends] == [
        "controlroom_default.demo_dev.bronze.sale_order", "controlroom_default.demo_dev.silver.sale_order",
    ]  # fmt: skip
    amount = [each for each in lineage["body"]["columnsLineage"] if each["toColumn"].endswith(".amount")]
    assert [each["function"] for each in amount] == ["INDIRECT:FILTER", "DIRECT:AGGREGATION", "INDIRECT:SORT"]


def test_openmetadata_takes_owners_whose_ids_are_given(quick: Quick, tmp_path: Path) -> None:
    ids = {"@sales": "0e5ab0f4-63f5-4a8b-8b0e-0f0d5c3f2a11", "ada": "5d2f6b1e-9c57-4f0e-a2a4-0f7d4c1b9e22"}
    given = tmp_path / "owners.json"
    export = ("catalog", "export", "--format", "openmetadata", "--owners", str(given))
    given.write_text(json.dumps(ids))
    text = done(quick(*export))
    assert openmetadata_faults(text) == []
    table = json.loads(text.splitlines()[-2])
    assert table["body"]["owners"] == [{"id": ids["@sales"], "type": "team"}, {"id": ids["ada"], "type": "user"}]
    assert "owners" not in table
    given.write_text(json.dumps({"@sales": ids["@sales"]}))
    table = json.loads(done(quick(*export)).splitlines()[-2])
    assert (len(table["body"]["owners"]), table["owners"]) == (1, ["/api/v1/users/name/ada"])
    for wrong in ("[]", "{", json.dumps({"ada": "ada"})):
        given.write_text(wrong)
        refused = quick(*export)
        assert (refused.code, "--owners" in refused.err) == (2, True)


def test_openlineage_gets_a_table_and_its_job_each(quick: Quick) -> None:
    events = [json.loads(line) for line in done(quick("catalog", "export", "--format", "openlineage")).splitlines()]
    assert [fault for each in events for fault in faults(each)] == []
    table, job = events
    assert table["dataset"]["facets"]["columnLineage"]["fields"]["amount"]["inputFields"]
    assert job["job"]["name"] == "demo.tidy"
    assert [Path(each["name"]).parts[-2:] for each in (*job["inputs"], *job["outputs"])] == [
        ("bronze", "sale_order"), ("silver", "sale_order"),
    ]  # fmt: skip


def test_the_export_is_what_its_reader_may_see(quick: Quick, cluster: Cluster) -> None:
    holder = cluster.token_url(str(conninfo_to_dict(quick.database_url)["dbname"]))
    seen = {}
    for name, envs in {"here": "dev", "elsewhere": "prod"}.items():
        done(quick("member", "add", "default/demo", name, "--role", "viewer", "--env", envs))
        token = done(quick("token", "create", name, "--subject", name, "--role", "viewer"))
        person = Quick(quick.home, holder, {"CONTROLROOM_TOKEN": token})
        seen[name] = {form: done(person("catalog", "export", "--format", form)) for form in ("datahub", "openlineage")}
    assert SALES in seen["here"]["datahub"] and "sale_order" in seen["here"]["openlineage"]
    assert json.loads(seen["elsewhere"]["datahub"]) == [] and seen["elsewhere"]["openlineage"] == ""


def test_the_definitions_find_faults(quick: Quick) -> None:
    proposals: list[Json] = json.loads(done(quick("catalog", "export", "--format", "datahub")))
    spoiled = {each["aspectName"]: each for each in proposals if each["entityUrn"] == SALES}
    spoiled["ownership"]["aspect"]["json"]["owners"][0]["type"] = "BOSS"
    del spoiled["upstreamLineage"]["aspect"]["json"]["fineGrainedLineages"][0]["downstreamType"]
    spoiled["schemaMetadata"]["aspect"]["json"]["fields"][0]["type"] = {"type": {"com.linkedin.schema.OddType": {}}}
    spoiled["globalTags"]["aspect"]["json"]["extra"] = 1
    assert {fault.split()[1].split(".")[0].rstrip(":") for fault in datahub_faults(proposals)} == {
        "ownership", "upstreamLineage", "schemaMetadata", "globalTags",
    }  # fmt: skip
    lines = [json.loads(line) for line in done(quick("catalog", "export", "--format", "openmetadata")).splitlines()]
    lines[-2]["body"]["columns"][0]["dataType"] = "NUMERAL"
    lines[-2]["body"]["extra"] = 1
    lines[0]["body"].pop("name")
    found = openmetadata_faults("\n".join(json.dumps(each) for each in lines))
    assert any("NUMERAL" in each for each in found) and any("no extra" in each for each in found)
    assert any(each.startswith("services/databaseServices") for each in found)
