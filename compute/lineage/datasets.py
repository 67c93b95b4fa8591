"""What a phase reads and writes, as OpenLineage datasets: tables of the lake, and tables of databases outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import data_quality_assertions_dataset, output_statistics_output_dataset
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from compute.lineage.facets import of_table, of_written
from compute.lineage.naming import Place
from ops.lineage import Json, Story, StoryPhase, TableAt, Written, pinned


def inputs(story: Story, place: Place, spec: Json, written: Sequence[Written]) -> list[InputDataset]:
    """Of a phase: what its outputs were made from, as they say; where it left none, what its spec names."""
    found: dict[str, TableAt] = {}
    for at in (at for one in written for at in one.inputs) if written else _named(story, spec):
        found.setdefault(at[0], at)
    tables = [
        InputDataset(place.namespace, place.name(table), facets=of_table(place, at, story.tables.get(at)))
        for table, at in sorted(found.items())
    ]
    return [*tables, *_sources(spec, written)]


def outputs(story: Story, place: Place, spec: Json, written: Sequence[Written]) -> list[OutputDataset]:
    """Of a phase that has succeeded: what it left in the lake, and what it published."""
    return [_left(story, place, one) for one in written] + _published(spec)


def intended(place: Place, spec: Json) -> list[OutputDataset]:
    """Of a phase that begins: the tables that its spec says it will write."""
    output = spec.get("output")
    given = spec.get("outputs")
    names = [str(output["table"])] if isinstance(output, Mapping) and "table" in output else []
    names += [str(each) for each in given] if isinstance(given, list) else []
    tables = [
        OutputDataset(place.namespace, place.name(each), facets=of_table(place, (each, None), None)) for each in names
    ]
    return tables + _published(spec)


def judged(
    place: Place, spec: Json, phase: StoryPhase
) -> tuple[str, data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet] | None:
    """Name of the dataset that a phase has validated, and its verdicts; None where it has none."""
    expectations = spec.get("expect")
    if not phase.checks or not isinstance(expectations, list):
        return None
    severity = "error" if spec.get("on_fail", "fail") == "fail" else "warn"
    # One check an expectation, in their order.
    assertions = [
        _assertion(check, expectation, severity) for check, expectation in zip(phase.checks, expectations, strict=False)
    ]
    facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)
    return place.name(str(spec["table"])), facet


def _assertion(check: Json, expectation: object, severity: str) -> data_quality_assertions_dataset.Assertion:
    kind, what = next(iter(expectation.items())) if isinstance(expectation, Mapping) else ("unknown", None)
    column = what.get("column") if isinstance(what, Mapping) else None
    return data_quality_assertions_dataset.Assertion(
        assertion=str(kind),
        success=bool(check["ok"]),
        column=None if column is None else str(column),
        severity=severity,
        # Runs of before rules had names said "check".
        name=str(check.get("rule") or check.get("check") or kind),
        expected=str(check["expected"]),
        actual=str(check["observed"]),
    )


def _left(story: Story, place: Place, one: Written) -> OutputDataset:
    counted = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=one.rows, size=one.byte_size)
    facets = of_written(place, one, story.tables.get((one.table, one.version)))
    return OutputDataset(place.namespace, place.name(one.table), {"outputStatistics": counted}, facets=facets)


def _named(story: Story, spec: Json) -> list[TableAt]:
    """The tables that a phase's spec reads, at the version that the run has written or else pinned."""
    versions: dict[str, int | None] = dict(pinned(story.run.input_manifest))
    versions |= {one.table: one.version for one in story.written if one.phase != spec.get("name")}
    return [(table, versions.get(table)) for table in _reads(spec)]


def _reads(spec: Json) -> list[str]:
    given = spec.get("inputs")
    found = [str(each) for each in given.values()] if isinstance(given, Mapping) else []
    if isinstance(spec.get("table"), str):
        found.append(str(spec["table"]))
    expectations = spec.get("expect")
    for each in expectations if isinstance(expectations, list) else []:
        total = each.get("sum") if isinstance(each, Mapping) else None
        other = total.get("equals") if isinstance(total, Mapping) else None
        if isinstance(other, Mapping) and "table" in other:
            found.append(str(other["table"]))
    return list(dict.fromkeys(found))


def _sources(spec: Json, written: Sequence[Written]) -> list[InputDataset]:
    """Of an ingest: the table of the source for each that it left."""
    source = spec.get("source")
    if spec.get("kind") != "ingest" or not isinstance(source, Mapping):
        return []
    schema = str(source.get("schema", "public"))
    found = [_outside(str(source["dsn"]), f"{schema}.{one.table.partition('.')[2]}") for one in written]
    return [InputDataset(namespace, name) for namespace, name in found]


def _published(spec: Json) -> list[OutputDataset]:
    targets = spec.get("to")
    target = targets.get("postgres") if isinstance(targets, Mapping) else None
    if not isinstance(target, Mapping):
        return []
    namespace, name = _outside(str(target["dsn"]), str(target["table"]))
    return [OutputDataset(namespace, name)]


def _outside(dsn: str, table: str) -> tuple[str, str]:
    """Namespace and name of a table of a database. What a secret reference stands for is not told: it names the database."""
    if dsn.startswith("secret://"):
        return dsn, table
    try:
        given = conninfo_to_dict(dsn)
    except ProgrammingError:
        return "postgres://unknown", table
    host, port, database = given.get("host", "localhost"), given.get("port", 5432), given.get("dbname", "")
    return f"postgres://{host}:{port}", f"{database}.{table}" if database else table
