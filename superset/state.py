"""What stands in Superset, and what should: both as the same flat fields, so that they can be compared and digested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from ops.errors import NotFound
from superset.bundle import Json, Publication, build, chart_name
from superset.client import Superset

Fields = Mapping[str, object]
Key = tuple[str, str]
"""Kind and name."""
# What Superset adds to a chart by itself.
ADDED = frozenset({"datasource", "slice_id", "dashboards", "annotation_layers"})


@dataclass(frozen=True)
class Seen:
    """One thing as Superset has it now."""

    superset_id: int
    uuid: UUID | None
    fields: Fields
    raw: Json

    @property
    def digest(self) -> str:
        return digest(self.fields)


def digest(fields: Fields) -> str:
    """One digest of what was compared."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()


def differences(wanted: Fields, seen: Fields) -> list[str]:
    """Names of the fields that are not as wanted."""
    return sorted(name for name in {*wanted, *seen} if wanted.get(name) != seen.get(name))


def wanted(publication: Publication) -> dict[Key, Fields]:
    """Everything that a publication is, without roles and rules."""
    files = build(publication)
    found: dict[Key, Fields] = {("database", "gold"): _database_fields(files["databases/gold.yaml"])}
    charts = {file["uuid"]: file for name, file in files.items() if name.startswith("charts/")}
    for dataset in publication.datasets:
        found["dataset", dataset.name] = _dataset_fields(files[f"datasets/gold/{dataset.name}.yaml"])
        found["dashboard", dataset.name] = _dashboard_fields(files[f"dashboards/{dataset.name}.yaml"])
        for chart in dataset.mart.charts:
            name = chart_name(dataset, chart.title)
            found["chart", name] = _chart_fields(charts[str(publication.uuid("chart", name))])
    return found


def observe(client: Superset, publication: Publication, keys: Iterable[Key]) -> dict[Key, Seen]:
    """What of it is there; what is missing is left out."""
    found = {}
    for kind, name in keys:
        uuid = publication.uuid(kind, name)
        raw = _database(client, uuid) if kind == "database" else _by_uuid(client, kind, uuid)
        if raw is not None:
            found[kind, name] = Seen(int(raw["id"]), uuid, SEEN[kind](raw), raw)
    return found


def made_by_people(raw: Json) -> tuple[list[Json], list[Json]]:
    """Metrics and calculated columns of a dataset that are not ours, as an import wants them."""
    metrics = [
        {**{name: one.get(name) for name in METRIC}, "extra": _parsed(one.get("extra"))}
        for one in raw["metrics"]
        if not _ours(one)
    ]
    columns = [
        {**{name: one.get(name) for name in COLUMN}, "extra": _parsed(one.get("extra"))}
        for one in raw["columns"]
        if one.get("expression")
    ]
    return metrics, columns


METRIC = (
    "metric_name",
    "verbose_name",
    "metric_type",
    "expression",
    "description",
    "d3format",
    "currency",
    "warning_text",
)
COLUMN = (
    "column_name", "verbose_name", "is_dttm", "is_active", "type", "groupby", "filterable", "expression", "description",
    "python_date_format",
)  # fmt: skip
COLUMN_FIELDS = ("verbose_name", "type", "is_dttm", "groupby", "filterable", "description")
METRIC_FIELDS = ("verbose_name", "expression", "d3format", "description")


def _by_uuid(client: Superset, kind: str, uuid: UUID) -> Json | None:
    try:
        found: Json = client.get(f"/{kind}/{uuid}")["result"]
    except NotFound:
        return None
    return found


def _database(client: Superset, uuid: UUID) -> Json | None:
    row = next((row for row in client.every("/database/") if row.get("uuid") == str(uuid)), None)
    return None if row is None else {**client.get(f"/database/{row['id']}/connection")["result"], "id": row["id"]}


def _ours(metric: Json) -> bool:
    return bool((_parsed(metric.get("extra")) or {}).get("controlroom"))


def _parsed(value: object) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _database_fields(raw: Json) -> Fields:
    names = (
        "database_name",
        "sqlalchemy_uri",
        "expose_in_sqllab",
        "allow_dml",
        "allow_ctas",
        "allow_cvas",
        "impersonate_user",
    )
    return {**{name: raw.get(name) for name in names}, "sqlalchemy_uri": unquote(str(raw.get("sqlalchemy_uri")))}


def _dataset_fields(raw: Json) -> Fields:
    extra = _parsed(raw.get("extra")) or {}
    found: dict[str, object] = {
        "table": f"{raw.get('schema')}.{raw.get('table_name')}",
        "sql": raw.get("sql") or None,
        "description": raw.get("description"),
        "time": raw.get("main_dttm_col"),
        "certificate": extra.get("certification", {}).get("details"),
    }
    for one in raw["columns"]:
        if not one.get("expression"):
            found[f"column {one['column_name']}"] = [one.get(name) for name in COLUMN_FIELDS]
    for one in raw["metrics"]:
        if _ours(one):
            found[f"metric {one['metric_name']}"] = [one.get(name) for name in METRIC_FIELDS]
    return found


def _chart_fields(raw: Json) -> Fields:
    params = _parsed(raw.get("params")) or {}
    same = {f"setting {name}": value for name, value in params.items() if name not in ADDED}
    return {"title": raw.get("slice_name"), "kind": raw.get("viz_type"), **same}


def _dashboard_fields(raw: Json) -> Fields:
    position = _parsed(raw.get("position") or raw.get("position_json")) or {}
    placed = {
        f"place of {one['meta'].get('sliceName')}": [
            one["meta"].get("uuid"),
            one["meta"].get("width"),
            one["meta"].get("height"),
        ]
        for one in position.values()
        if isinstance(one, dict) and one.get("type") == "CHART"
    }
    rows = [one.get("children") for one in position.values() if isinstance(one, dict) and one.get("type") == "ROW"]
    return {
        "title": raw.get("dashboard_title"),
        "slug": raw.get("slug"),
        "published": raw.get("published"),
        "certificate": raw.get("certification_details"),
        "rows": rows,
        **placed,
    }


SEEN = {
    "database": _database_fields,
    "dataset": _dataset_fields,
    "chart": _chart_fields,
    "dashboard": _dashboard_fields,
}
