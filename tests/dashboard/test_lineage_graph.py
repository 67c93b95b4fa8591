"""What Postgres tells of a whole lineage: diamonds, circles, what is too far, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from ops.catalog import Catalog
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.dataset_reads import Datasets
from ops.model import PhaseStatus, TableVersion
from ops.tenancy import Tenancy
from tests.operating import Operator, commit

FAR, MOST = 10, 300


def wrote(
    operator: Operator, table: str, *inputs: str, version: int = 0, columns: Mapping[str, str] | None = None
) -> None:
    """A run that wrote this version from version 0 of these; ``columns``: of it → ``table.column`` of an input."""
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    read = tuple(TableVersion(each, 0, commit().fingerprint) for each in inputs)
    operator.executor.record_dataset(run_id, token, "bronze", replace(commit(version, table), inputs=read))
    said = {
        name: [
            {"table": of.rpartition(".")[0], "column": of.rpartition(".")[2], "kind": "DIRECT", "subtype": "IDENTITY"}
        ]
        for name, of in (columns or {}).items()
    }
    lineage = {table: {"columns": said, "dataset": []}}
    result = {"datasets": [{"table": table, "version": version}], "column_lineage": lineage}
    operator.executor.finish_phase(run_id, token, "bronze", PhaseStatus.SUCCEEDED, result)
    operator.executor.start_phase(run_id, token, "checks")
    operator.executor.finish_phase(run_id, token, "checks", PhaseStatus.SUCCEEDED, {})
    operator.executor.complete_run(run_id, token, {})


def named(connection: Connection, table: str) -> UUID:
    return Catalog(connection).entry(Tenancy(connection).projects()[0].project_id, "dev", table).dataset_id


def steps(connection: Connection, table: str, far: int = FAR, most: int = MOST) -> Sequence[tuple[str, str, int]]:
    found = Datasets(connection).graph(named(connection, table), far, most)
    return [(each.source, each.target, each.far) for each in found]


def test_a_diamond_is_told_once_and_the_nearest_first(operator: Operator, connection: Connection) -> None:
    wrote(operator, "bronze.a")
    wrote(operator, "silver.b", "bronze.a")
    wrote(operator, "silver.c", "bronze.a")
    wrote(operator, "gold.d", "silver.b", "silver.c")
    wrote(operator, "gold.e", "gold.d")
    wrote(operator, "gold.aside", "silver.c")
    assert steps(connection, "gold.d") == [
        ("gold.d", "gold.e", 0), ("silver.b", "gold.d", 0), ("silver.c", "gold.d", 0),
        ("bronze.a", "silver.b", 1), ("bronze.a", "silver.c", 1),
    ]  # fmt: skip
    # From its beginning everything is downstream, also what the last one does not come from.
    assert {(source, target) for source, target, _ in steps(connection, "bronze.a")} == {
        ("bronze.a", "silver.b"), ("bronze.a", "silver.c"), ("silver.b", "gold.d"), ("silver.c", "gold.d"),
        ("silver.c", "gold.aside"), ("gold.d", "gold.e"),
    }  # fmt: skip
    assert steps(connection, "gold.d", far=1) == steps(connection, "gold.d")[:3]
    assert steps(connection, "gold.d", most=2) == steps(connection, "gold.d")[:2]
    assert steps(connection, "gold.aside") == [("silver.c", "gold.aside", 0), ("bronze.a", "silver.c", 1)]


def test_a_circle_ends(operator: Operator, connection: Connection) -> None:
    wrote(operator, "silver.b")
    wrote(operator, "silver.c", "silver.b")
    wrote(operator, "silver.b", "silver.c", "silver.b", version=1)
    assert steps(connection, "silver.b") == [
        ("silver.b", "silver.b", 0), ("silver.b", "silver.c", 0), ("silver.c", "silver.b", 0),
    ]  # fmt: skip


def test_a_column_is_followed_through_other_names(operator: Operator, connection: Connection) -> None:
    wrote(operator, "bronze.a")
    wrote(operator, "silver.b", "bronze.a", columns={"amount": "bronze.a.amount_total", "id": "bronze.a.id"})
    wrote(operator, "gold.d", "silver.b", columns={"revenue": "silver.b.amount"})
    reading = Datasets(connection)
    found = reading.column_graph(named(connection, "gold.d"), "revenue", FAR, MOST)
    assert [(each.source, each.target, each.far) for each in found] == [
        ("silver.b.amount", "gold.d.revenue", 0), ("bronze.a.amount_total", "silver.b.amount", 1),
    ]  # fmt: skip
    from_the_start = reading.column_graph(named(connection, "bronze.a"), "amount_total", FAR, MOST)
    assert {each.target for each in from_the_start} == {"silver.b.amount", "gold.d.revenue"}
    assert reading.column_graph(named(connection, "gold.d"), "nothing", FAR, MOST) == []


def test_nobody_sees_a_graph_of_what_is_not_theirs(operator: Operator, connection: Connection) -> None:
    wrote(operator, "bronze.a")
    wrote(operator, "silver.b", "bronze.a", columns={"id": "bronze.a.id"})
    dataset = named(connection, "silver.b")
    people = Tenancy(connection)
    people.set_member("default", "demo", "ann", "viewer", ["dev"])
    people.set_member("default", "demo", "ben", "viewer", ["prod"])
    for who, sees in (("ann", 1), ("ben", 0), ("stranger", 0)):
        with acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
            reading = Datasets(acting)
            assert len(reading.graph(dataset, FAR, MOST)) == sees
            assert len(reading.column_graph(dataset, "id", FAR, MOST)) == sees
