"""The bundle and what is compared: pure, and the same for the same descriptions."""

from __future__ import annotations

import io
import sys
import uuid
import zipfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from ruamel.yaml import YAML

from ops.model import RunId, Scope
from pipelines.spec import PublishPhase
from pipelines.spec_source import load
from superset.bundle import Certificate, Dataset, Publication, build, pack
from superset.description import FoundColumn, mart_of, reference
from superset.state import differences, digest, wanted

COLUMNS = {
    name: FoundColumn(name, kind)
    for name, kind in {"month": "date", "partner": "string", "amount": "decimal(38,2)", "items": "long"}.items()
}
REFERENCE = Path(__file__).parents[2] / "pipelines" / "reference" / "silver_to_gold.yaml"


PROJECT = UUID(int=1)


def publication(project: UUID = PROJECT, env: str = "dev") -> Publication:
    mart = mart_of("spending", COLUMNS)
    one = Dataset("spending", mart, COLUMNS, UUID(int=2), owners=("ann",), run_url="http://127.0.0.1/run?id=3")
    return Publication(project, Scope("acme", "demo", env), "postgresql://bi:XXXXXXXXXX@db/gold", [one])


def test_the_same_descriptions_give_the_same_bytes() -> None:
    assert pack(build(publication())) == pack(build(publication()))


def test_a_bundle_is_what_superset_imports() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(build(publication())))) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"controlroom"}
        files = {name.partition("/")[2]: YAML(typ="safe").load(archive.read(name)) for name in archive.namelist()}
    assert files["metadata.yaml"]["type"] == "assets"
    charts = {file["uuid"] for name, file in files.items() if name.startswith("charts/")}
    placed = {
        one["meta"]["uuid"]
        for one in files["dashboards/spending.yaml"]["position"].values()
        if isinstance(one, dict) and one["type"] == "CHART"
    }
    assert charts == placed
    assert len(charts) >= 3
    assert {file["dataset_uuid"] for name, file in files.items() if name.startswith("charts/")} == {
        files["datasets/gold/spending.yaml"]["uuid"]
    }


def test_ids_are_a_projects_and_an_environments_own() -> None:
    ids = {
        file["uuid"]
        for one in (publication(), publication(uuid.uuid4()), publication(env="prod"))
        for file in build(one).values()
    }
    assert len(ids) == 3 * len(build(publication()))


def test_only_a_certificate_certifies() -> None:
    plain = build(publication())["datasets/gold/spending.yaml"]
    assert plain["extra"] == {}
    one = replace(publication().datasets[0], certificate=Certificate(RunId(UUID(int=7)), 4, "v1:abc", ("check",)))
    certified = build(replace(publication(), datasets=[one]))["datasets/gold/spending.yaml"]
    details = certified["extra"]["certification"]["details"]
    assert all(word in details for word in (str(UUID(int=7)), "version 4", "v1:abc", "1 checks passed"))


def test_every_field_that_is_compared_counts() -> None:
    fields = wanted(publication())
    changed = wanted(replace(publication(), datasets=[replace(publication().datasets[0], description="Other")]))
    assert differences(fields["dataset", "spending"], changed["dataset", "spending"]) == ["description"]
    assert digest(fields["dataset", "spending"]) != digest(changed["dataset", "spending"])


def test_each_mart_of_the_reference_pipeline_is_described() -> None:
    marts = {
        phase.table.removeprefix("gold.")
        for phase in load(REFERENCE).phases
        if isinstance(phase, PublishPhase) and phase.to.postgres is not None and phase.to.postgres.shared
    }
    assert marts == set(reference())
    assert len(marts) >= 6


@pytest.mark.parametrize("name", sorted(reference()))
def test_a_mart_shows_only_what_it_has(name: str) -> None:
    mart = reference()[name]
    assert {metric for chart in mart.charts for metric in chart.metrics} <= set(mart.metrics)
    titles = [chart.title for chart in mart.charts]
    assert len(titles) == len(set(titles))
    # Amounts of several companies are in several currencies: whatever shows them names the company.
    for chart in mart.charts:
        amounts = [metric for metric in chart.metrics if mart.metrics[metric].format in (",.0f", ",.2f")]
        if any(word in mart.metrics[one].sql for one in amounts for word in ("revenue", "total", "debit", "value")):
            assert {"company", "company_id", "team"} & set(chart.by), f"{name}: {chart.title} adds up currencies"


def test_apaches_package_is_not_in_our_environment() -> None:
    """Ours has its name: installed beside it, either would hide the other."""
    import superset

    assert Path(str(superset.__file__)).parent == Path(__file__).parents[2] / "superset"
    assert not list(Path(sys.prefix).glob("lib/python3*/site-packages/superset*"))
