"""From descriptions to the ZIP that Superset imports in one transaction. Pure: the same descriptions give the same bytes.

Ids follow from names (uuid5 below the project's own id), so a repeat finds what is there, and two installations that share a
Superset never take each other's for theirs.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from ruamel.yaml import YAML

from ops.model import RunId, Scope
from superset import charts
from superset.description import FoundColumn, Mart, words

TENANT = "tenant"
SCHEMA = "gold"
VERSION = "1.0.0"
# Superset would drop the password from a URI that it exports; it comes beside the bundle and is never in it.
MASK = "XXXXXXXXXX"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
Json = dict[str, Any]


@dataclass(frozen=True)
class Certificate:
    """What a dataset is certified for: the run and version whose rows stand in gold, with their fingerprint."""

    run_id: RunId
    version: int
    fingerprint: str
    checks: Sequence[str] = ()

    @property
    def details(self) -> str:
        checks = f"{len(self.checks)} checks passed, " if self.checks else ""
        return (
            f"Run {self.run_id}, version {self.version}, fingerprint {self.fingerprint}; {checks}isolation verified by a "
            "user of its own"
        )


@dataclass(frozen=True)
class Dataset:
    """One mart of a project's environment, described."""

    name: str
    mart: Mart
    columns: Mapping[str, FoundColumn]
    dataset_id: UUID
    description: str = ""
    owners: Sequence[str] = ()
    run_url: str = ""
    certificate: Certificate | None = None


@dataclass(frozen=True)
class Publication:
    """What a project's environment has in Superset.

    Attributes:
        uri: of gold as its reader, without the password.
        kept: metrics that BI users made, by dataset; an import would drop what it is not given.
        kept_columns: the same of calculated columns.
    """

    project_id: UUID
    scope: Scope
    uri: str
    datasets: Sequence[Dataset]
    kept: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    kept_columns: Mapping[str, Sequence[Json]] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        return f"{self.scope.org}/{self.scope.project}/{self.scope.env}"

    @property
    def database(self) -> str:
        """The connection's name in Superset."""
        return f"Gold of {self.tenant}"

    def uuid(self, kind: str, name: str) -> UUID:
        return uuid5(self.project_id, f"{self.scope.env}/{kind}/{name}")

    def slug(self, dataset: Dataset) -> str:
        """Of its dashboard's address; unique in a Superset that others use as well."""
        return f"{self.tenant.replace('/', '-')}-{dataset.name.replace('_', '-')}-{str(self.project_id)[:4]}"


def build(publication: Publication) -> dict[str, Json]:
    """The bundle's files by name, before they are YAML."""
    found = {"databases/gold.yaml": _database(publication)}
    for dataset in publication.datasets:
        found[f"datasets/gold/{dataset.name}.yaml"] = _dataset(publication, dataset)
        for chart in dataset.mart.charts:
            found[f"charts/{dataset.name}/{_file(chart.title)}.yaml"] = _chart(publication, dataset, chart.title)
        found[f"dashboards/{dataset.name}.yaml"] = _dashboard(publication, dataset)
    return found


def pack(files: Mapping[str, Json]) -> bytes:
    """The ZIP of a bundle."""
    yaml, buffer = YAML(), io.BytesIO()
    yaml.default_flow_style = False
    # Fixed, so that the same bundle has the same bytes.
    metadata: Json = {"version": VERSION, "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted({"metadata.yaml": metadata, **files}.items()):
            text = io.StringIO()
            yaml.dump(content, text)
            archive.writestr(zipfile.ZipInfo(f"controlroom/{name}", ZIP_EPOCH), text.getvalue())
    return buffer.getvalue()


def chart_name(dataset: Dataset, title: str) -> str:
    """How a chart is known: its mart's name and its title."""
    return f"{dataset.name}/{title}"


def _database(publication: Publication) -> Json:
    return {
        "database_name": publication.database,
        "sqlalchemy_uri": publication.uri,
        # Nobody's SQL goes through it but Superset's own.
        "expose_in_sqllab": False,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "cache_timeout": None,
        "impersonate_user": False,
        "extra": {"allows_virtual_table_explore": False, "engine_params": {}, "metadata_params": {}},
        "uuid": str(publication.uuid("database", "gold")),
        "version": VERSION,
        "is_managed_externally": True,
    }


def _dataset(publication: Publication, dataset: Dataset) -> Json:
    extra: Json = {}
    if dataset.certificate is not None:
        extra["certification"] = {"certified_by": "Lakehouse Control Room", "details": dataset.certificate.details}
    found = [*dataset.columns.values(), FoundColumn(TENANT, "string", "Whose the row is: org/project/env.")]
    return {
        "table_name": dataset.name,
        "main_dttm_col": dataset.mart.time,
        "description": dataset.description or dataset.mart.description,
        "schema": SCHEMA,
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": extra,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "uuid": str(publication.uuid("dataset", dataset.name)),
        "database_uuid": str(publication.uuid("database", "gold")),
        "metrics": [*_metrics(dataset), *publication.kept.get(dataset.name, ())],
        "columns": [*(_column(dataset, column) for column in found), *publication.kept_columns.get(dataset.name, ())],
        "version": VERSION,
        "is_managed_externally": True,
        "external_url": dataset.run_url or None,
    }


def _metrics(dataset: Dataset) -> list[Json]:
    return [
        {
            "metric_name": name,
            "verbose_name": metric.label,
            "metric_type": None,
            "expression": metric.sql,
            "description": metric.description or None,
            "d3format": metric.format,
            # How a re-publish tells ours from those that BI users made.
            "extra": {"controlroom": True},
            "warning_text": None,
        }
        for name, metric in dataset.mart.metrics.items()
    ]


def _column(dataset: Dataset, column: FoundColumn) -> Json:
    said = dataset.mart.columns.get(column.name)
    return {
        "column_name": column.name,
        "verbose_name": (said.label if said else "") or words(column.name),
        "is_dttm": column.is_time,
        "is_active": True,
        "type": column.sql_type,
        "groupby": True,
        "filterable": True,
        "expression": None,
        "description": column.description or (said.description if said else "") or None,
        "extra": {},
    }


def _chart(publication: Publication, dataset: Dataset, title: str) -> Json:
    chart = next(one for one in dataset.mart.charts if one.title == title)
    params = charts.params(dataset.mart, chart)
    return {
        "slice_name": title,
        "description": None,
        "viz_type": params["viz_type"],
        "params": params,
        # Without it nothing but a browser could ask for the chart's data.
        "query_context": json.dumps(charts.query_context(dataset.mart, chart, params)),
        "cache_timeout": None,
        "uuid": str(publication.uuid("chart", chart_name(dataset, title))),
        "dataset_uuid": str(publication.uuid("dataset", dataset.name)),
        "version": VERSION,
        "is_managed_externally": True,
        "external_url": dataset.run_url or None,
    }


def _dashboard(publication: Publication, dataset: Dataset) -> Json:
    placed = [(chart, publication.uuid("chart", chart_name(dataset, chart.title))) for chart in dataset.mart.charts]
    certificate = dataset.certificate
    return {
        "dashboard_title": f"{dataset.mart.title} · {publication.tenant}",
        "description": dataset.description or dataset.mart.description,
        "css": None,
        "slug": publication.slug(dataset),
        "uuid": str(publication.uuid("dashboard", dataset.name)),
        "position": charts.position(placed),
        "metadata": {"color_scheme": "supersetColors", "cross_filters_enabled": True, "refresh_frequency": 0},
        "version": VERSION,
        "is_managed_externally": True,
        "external_url": dataset.run_url or None,
        "certified_by": "Lakehouse Control Room" if certificate else None,
        "certification_details": certificate.details if certificate else None,
        "published": True,
    }


def _file(title: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in title.lower())
