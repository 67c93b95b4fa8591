"""Dashboard and alert rules ask for nothing that a scrape does not have, and the documentation lists all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tests.controlroom.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
NAME = re.compile(r"\bcontrolroom_[a-z_]+\b")


def _expressions() -> Iterator[tuple[str, str]]:
    board = json.loads((GRAFANA / "control-room.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]
    for group in YAML(typ="safe").load(GRAFANA / "alerts.yaml")["groups"]:
        for rule in group["rules"]:
            yield f"alert {rule['alert']}", rule["expr"]


@pytest.fixture
def samples(database: str, tmp_path: Path) -> dict[str, set[str]]:
    """Names of samples of a real scrape of an installation with something of everything, with their labels."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """
            insert into ops.run_totals select id, 'p', 'failed', 1, 1, 1, '{1,0,0,0,0,0,0,0,0,0}' from ops.projects limit 1;
            insert into ops.phase_totals select id, 'query', 'failed', 1, 1, '{1,0,0,0,0,0,0,0,0,0}' from ops.projects limit 1;
            insert into ops.caps (key, org_id, amount, period) select 'k', id, 5, 'day' from ops.orgs limit 1;
            insert into ops.executors (id, name) values (gen_random_uuid(), 'x');
            insert into private.steward_pulse (at) values (now());
            insert into ops.runs (project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, turn, available_at,
              created_at)
            select id, 'dev', 'p', 1, '{}', 's', 'g', n, now(), now() from ops.projects, generate_series(1, 2) n;
            insert into ops.run_leases (run_id, project_id, executor_id, lease_token, lease_seconds, expires_at, event_seq,
              event_hash)
            select id, project_id, gen_random_uuid(), 1, 30, now() + interval '30 s', 1, '' from ops.runs limit 1;
            """
        )
    answer = Terminal(tmp_path, database)("metrics", "--once")
    assert answer.code == 0, answer.err
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(answer.out):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_name_and_label_is_in_a_scrape(samples: dict[str, set[str]]) -> None:
    asked = list(_expressions())
    assert len(asked) > 30
    for where, expression in asked:
        names = set(NAME.findall(expression))
        assert names, f"{where} asks for nothing"
        assert names <= set(samples), f"{where}: {sorted(names - set(samples))} is in no scrape"
        grouped = {label.strip() for text in re.findall(r"by \(([^)]*)\)", expression) for label in text.split(",")}
        matched = set(re.findall(r"(\w+)=~?\"", expression))
        known = {label for name in names for label in samples[name]}
        assert (grouped | matched) <= known, (
            f"{where}: {sorted((grouped | matched) - known)} is no label of {sorted(names)}"
        )


def test_names_are_as_prometheus_wants_them(samples: dict[str, set[str]]) -> None:
    units = ("_seconds", "_total", "_bucket", "_count", "_sum")
    for name in samples:
        assert name.startswith("controlroom_")
        assert not name.endswith(("_ms", "_minutes", "_milliseconds"))
        if "duration" in name:
            assert name.endswith(units), name


def test_the_documentation_lists_every_family(samples: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "watching.md").read_text()
    listed = set(NAME.findall(page))
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in samples}
    assert {name for name in families if name not in listed} == set()
    assert {name for name in listed if name not in families} == set()


def test_the_board_is_one_that_grafana_can_import() -> None:
    board = json.loads((GRAFANA / "control-room.json").read_text())
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= set(board)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) > 15
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies on another"
        taken |= cells
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"


def test_the_rules_and_the_scrape_are_as_prometheus_reads_them() -> None:
    yaml = YAML(typ="safe")
    config = yaml.load(GRAFANA / "prometheus.yaml")
    [scrape] = config["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]
    assert config["rule_files"] == ["alerts.yaml"]
    rules = [rule for group in yaml.load(GRAFANA / "alerts.yaml")["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")
