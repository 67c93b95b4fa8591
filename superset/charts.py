"""Charts and their places on a dashboard, in Superset's own words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from superset.description import Chart, Mart

Json = dict[str, Any]
ROWS = 1000
VIZ = {"number": "big_number_total", "bars": "echarts_timeseries_bar", "slices": "pie", "rows": "table"}
COLUMNS = 12


def params(mart: Mart, chart: Chart) -> Json:
    """What the chart's editor would have saved."""
    same: Json = {
        "viz_type": VIZ[chart.kind], "adhoc_filters": [], "row_limit": ROWS, "time_range": "No filter", "extra_form_data": {},
    }  # fmt: skip
    first = mart.metrics[chart.metrics[0]]
    match chart.kind:
        case "number":
            return {**same, "metric": chart.metrics[0], "y_axis_format": first.format, "header_font_size": 0.4}
        case "bars":
            return {
                **same, "metrics": list(chart.metrics), "groupby": list(chart.by), "x_axis": chart.over,
                "time_grain_sqla": "P1M", "x_axis_sort_asc": True, "stack": None, "show_legend": True,
                "y_axis_format": first.format, "truncate_metric": True, "rich_tooltip": True, "order_desc": True,
                "x_axis_time_format": "%b %Y", "color_scheme": "supersetColors", "show_empty_columns": True,
            }  # fmt: skip
        case "slices":
            return {
                **same, "metric": chart.metrics[0], "groupby": list(chart.by), "row_limit": 10, "sort_by_metric": True,
                "donut": True, "show_legend": True, "label_type": "key_percent", "number_format": first.format,
                "color_scheme": "supersetColors", "innerRadius": 40, "outerRadius": 70, "show_labels": True,
            }  # fmt: skip
        case "rows":
            return {
                **same, "query_mode": "aggregate", "metrics": list(chart.metrics), "groupby": list(chart.by),
                "all_columns": [], "percent_metrics": [], "order_desc": True, "table_timestamp_format": "%Y-%m-%d",
                "show_cell_bars": True, "temporal_columns_lookup": {mart.time: True} if mart.time else {},
            }  # fmt: skip


def query_context(mart: Mart, chart: Chart, form_data: Json) -> Json:
    """The query that the chart sends; Superset fills in the dataset's id."""
    columns: list[object] = [*chart.by]
    if chart.over is not None:
        columns.insert(
            0,
            {
                "timeGrain": "P1M", "columnType": "BASE_AXIS", "sqlExpression": chart.over, "label": chart.over,
                "expressionType": "SQL",
            },
        )  # fmt: skip
    query = {
        "columns": columns, "metrics": list(chart.metrics), "filters": [], "extras": {}, "orderby": [[chart.metrics[0], False]],
        "row_limit": form_data["row_limit"], "annotation_layers": [], "order_desc": True, "time_range": "No filter",
    }  # fmt: skip
    assert all(metric in mart.metrics for metric in chart.metrics), (
        f"{chart.title} shows a metric that {mart.title} lacks"
    )
    return {
        "datasource": {"id": 0, "type": "table"}, "force": False, "queries": [query], "form_data": form_data,
        "result_format": "json", "result_type": "full",
    }  # fmt: skip


def position(placed: Sequence[tuple[Chart, UUID]]) -> Json:
    """Numbers side by side in the first row, everything else in one of its own."""
    small = [one for one in placed if one[0].kind == "number"]
    large = [one for one in placed if one[0].kind != "number"]
    rows = [*_rows(small, 4), *([one] for one in large)]
    found: Json = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [], "parents": ["ROOT_ID"]},
    }
    for number, row in enumerate(rows):
        row_id = f"ROW-{number}"
        found["GRID_ID"]["children"].append(row_id)
        found[row_id] = {
            "type": "ROW", "id": row_id, "children": [f"CHART-{uuid}" for _, uuid in row], "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }  # fmt: skip
        for chart, uuid in row:
            found[f"CHART-{uuid}"] = {
                "type": "CHART", "id": f"CHART-{uuid}", "children": [], "parents": ["ROOT_ID", "GRID_ID", row_id],
                "meta": {
                    "chartId": 0, "uuid": str(uuid), "sliceName": chart.title, "width": COLUMNS // len(row),
                    "height": 22 if chart.kind == "number" else 50,
                },
            }  # fmt: skip
    return found


def _rows(placed: Iterable[tuple[Chart, UUID]], most: int) -> Iterable[list[tuple[Chart, UUID]]]:
    every = list(placed)
    return [every[start : start + most] for start in range(0, len(every), most)]
