"""Odoo → bronze → silver → gold on a warm plain executor, beside the bare script; the marts must be the same."""

from __future__ import annotations

import json
import shutil

from benchmarks import measure
from benchmarks.measure import Cost, Meter
from benchmarks.odoo_source import odoo
from benchmarks.report import Report, Samples
from benchmarks.server import Server, server
from benchmarks.stand import Stand, plain_stand, wall
from ops.model import Scope
from pipelines.catalogue import spec_path
from pipelines.lake import Lake
from pipelines.spec import Pipeline, TransformPhase
from pipelines.spec_source import load

LAYERS = {"bronze": "odoo_ingest_bronze", "silver": "bronze_to_silver", "gold": "silver_to_gold"}
OURS, BARE = "three pipelines, executor", "bare Polars script"
FULL_SCALE, QUICK_SCALE = 20.0, 0.05
Costs = dict[str, Cost]


def _ours(host: Server, stand: Stand, project: str) -> Costs:
    """A new project has an empty lake."""
    costs = {}
    for layer, pipeline in LAYERS.items():
        meter = Meter(host.postmaster, stand.executor)
        facts = stand.run(load(spec_path(pipeline)), project)
        spent = meter.read()
        costs[layer] = Cost(wall(facts), spent.client, spent.server)
    return costs


def _bare(host: Server, source: str, project: str) -> Costs:
    lake = host.home / "bare" / "default" / project / "dev"
    _, output = measure.module("benchmarks.medallion.bare", [source, str(lake), str(host.postmaster)], host.postmaster)
    return {layer: Cost(**cost) for layer, cost in json.loads(output.strip().splitlines()[-1]).items()}


def _compare_marts(host: Server, project: str, gold: Pipeline) -> int:
    """Both lakes hold the same marts, row for row; returns how many.

    Raises:
        RuntimeError: one differs, so the two did not do the same work.
    """
    scope = Scope("default", project, "dev")
    ours, bare = (Lake(str(host.home / name), scope) for name in ("lake", "bare"))
    tables = {phase.output.table: phase.output.key for phase in gold.phases if isinstance(phase, TransformPhase)}
    for table, key in tables.items():
        one, other = (lake.fingerprint(table, key=key) for lake in (ours, bare))
        if one.root != other.root:
            raise RuntimeError(f"{table} differs between the executor's lake and the bare script's")
    return len(tables)


def run(quick: bool) -> Report:
    """Ours and the bare script in turn; the first pair of a full run warms both up and is not counted."""
    repeats, warm_ups, scale = (1, 0, QUICK_SCALE) if quick else (3, 1, FULL_SCALE)
    seen = Samples()
    with server() as host:
        source = odoo(host, scale)
        readers = host.database("readers", migrated=False)
        (host.home / "secrets").mkdir()
        (host.home / "secrets" / "odoo_dsn").write_text(source)
        (host.home / "secrets" / "gold_dsn").write_text(readers)
        with plain_stand(host, "ops", slots=1) as stand:
            for repeat in range(warm_ups + repeats):
                project = f"bench{repeat}"
                both = {OURS: _ours(host, stand, project), BARE: _bare(host, source, project)}
                marts = _compare_marts(host, project, load(spec_path(LAYERS["gold"])))
                for row, costs in both.items() if repeat >= warm_ups else ():
                    for layer, cost in costs.items():
                        seen.add(row, f"{layer} s", cost.wall)
                    seen.add(row, "silver + gold s", costs["silver"].wall + costs["gold"].wall)
                    seen.add(row, "total s", sum(cost.wall for cost in costs.values()))
                    seen.add(row, "CPU s", sum(cost.cpu for cost in costs.values()))
                shutil.rmtree(host.home / "lake")
                shutil.rmtree(host.home / "bare")
    report = Report(
        "medallion", f"python -m benchmarks medallion{' --quick' if quick else ''}", repeats, seen.spreads()
    )
    report.at_most("three pipelines / bare script, wall", seen.ratio("total s", OURS, BARE), 2)
    report.at_most("from bronze on / bare script, wall", seen.ratio("silver + gold s", OURS, BARE), 2)
    report.notes.append(f"Generated Odoo of scale {scale:g} (about {25_000 * scale:,.0f} journal items), 40 tables.")
    report.notes.append(f"{marts} marts compared row for row after each repeat: the same in both lakes.")
    report.notes.append(
        "Ours reads with two connections and runs two phases at a time; the script does one thing at a time."
    )
    report.notes.append(
        "Only ours also checks every mart against the books and publishes it to Postgres and as a file."
    )
    return report
