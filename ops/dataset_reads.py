"""Tables of the lake as people look at them: what there is, its versions, where it comes from and goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ops.calls import Calls
from ops.catalog import ColumnNote, Version
from ops.errors import NotFound
from ops.model import RunId

LAYERS = ("bronze", "silver", "gold")
# Above every version that there can be.
LAST = 2**63 - 1
BEGINNING = ("", "", UUID(int=0))


@dataclass(frozen=True)
class DatasetSummary:
    """A table; ``version`` and what belongs to it are None before a run that wrote it has succeeded.

    Attributes:
        freshness: ok, warn or error; None where no rule asks for it.
    """

    dataset_id: UUID
    org: str
    project: str
    env: str
    layer: str
    name: str
    version: int | None
    total_rows: int | None
    byte_size: int | None
    released_at: datetime | None
    run_id: RunId | None
    pipeline: str | None
    description: str
    freshness: str | None
    lag_seconds: float | None


@dataclass(frozen=True)
class DatasetDetail:
    dataset_id: UUID
    project_id: UUID
    org: str
    project: str
    env: str
    layer: str
    name: str
    version: int | None
    total_rows: int | None
    fingerprint: str | None
    released_at: datetime | None
    description: str
    owners: Sequence[str]
    tags: Sequence[str]
    freshness: str | None
    lag_seconds: float | None
    clock_kind: str | None

    @property
    def table(self) -> str:
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True)
class WrittenVersion(Version):
    """A version and the run that wrote it, whose pipeline is None where it is not the caller's to see."""

    adopted: bool
    pipeline: str | None
    run_status: str | None


@dataclass(frozen=True)
class Neighbour:
    """A table one step away.

    Attributes:
        version: of the input that was read.
        newest: of the input; None where readers get none.
        dataset_id: of the neighbour; None where it is another project's.
    """

    table: str
    version: int
    dataset_id: UUID | None
    newest: int | None


@dataclass(frozen=True)
class ColumnSource:
    column: str
    input_table: str
    input_column: str
    kind: str
    subtype: str
    input_id: UUID | None


@dataclass(frozen=True)
class TableStep:
    """``target`` was made from ``version`` of ``source``; ``newest`` is the source's that readers get.

    Attributes:
        far: how many steps away from the table that was asked about it begins.
        source_id: None where it is no table of the project's that is known.
    """

    source: str
    target: str
    version: int
    far: int
    source_id: UUID | None
    newest: int | None
    target_id: UUID


@dataclass(frozen=True)
class ColumnStep:
    """A column's values came from another's, in the way that ``subtype`` says."""

    input_table: str
    input_column: str
    output_table: str
    output_column: str
    subtype: str
    far: int
    input_id: UUID | None
    output_id: UUID

    @property
    def source(self) -> str:
        return f"{self.input_table}.{self.input_column}"

    @property
    def target(self) -> str:
        return f"{self.output_table}.{self.output_column}"


class Datasets(Calls):
    """Reads over one connection or a pool, as whoever its role and claims say."""

    file = "datasets"

    def page(
        self,
        text: str = "",
        layers: Sequence[str] | None = None,
        env: str | None = None,
        within: str | None = None,
        after: tuple[str, str, UUID] = BEGINNING,
        limit: int = 50,
    ) -> list[DatasetSummary]:
        """Tables by layer and name.

        Args:
            text: part of ``layer.name``.
            within: org/project; None: all that the caller may see.
            after: layer, name and id of the last one of the page before.
        """
        layer, name, dataset_id = after
        rank = 0 if not layer else LAYERS.index(layer) + 1 if layer in LAYERS else 9
        rows = self._rows(
            "datasets",
            text=text.lower(),
            layers=list(layers) if layers else None,
            env=env,
            within=within,
            after_rank=rank,
            after_layer=layer,
            after_name=name,
            after_id=dataset_id,
            limit=limit,
        )
        return [DatasetSummary(**row) for row in rows]

    def layers(self) -> list[str]:
        """Those that there are, in the order in which data goes through them."""
        found = [str(row["layer"]) for row in self._rows("layers")]
        return sorted(found, key=lambda each: (LAYERS.index(each) if each in LAYERS else len(LAYERS), each))

    def one(self, dataset_id: UUID) -> DatasetDetail:
        """A table.

        Raises:
            NotFound: there is none that the caller may see.
        """
        found = self._rows("dataset", dataset_id=dataset_id)
        if not found:
            raise NotFound(f"there is no dataset {dataset_id}, or it is not yours; Data shows those that are")
        return DatasetDetail(**found[0])

    def versions(self, dataset_id: UUID, before: int | None = None, limit: int = 100) -> list[WrittenVersion]:
        """Newest first, below ``before``."""
        rows = self._rows("versions", dataset_id=dataset_id, before=LAST if before is None else before, limit=limit)
        return [WrittenVersion(**row) for row in rows]

    def notes(self, dataset_id: UUID) -> Mapping[str, ColumnNote]:
        """What is said of columns, by their names."""
        rows = self._rows("notes", dataset_id=dataset_id)
        return {
            row["name"]: ColumnNote(row["description"], tuple(row["tags"]), row["pii"], row["pii_from"]) for row in rows
        }

    def made_from(self, dataset_id: UUID) -> list[Neighbour]:
        """What the newest version was made from."""
        return [Neighbour(**row) for row in self._rows("made_from", dataset_id=dataset_id)]

    def goes_into(self, dataset_id: UUID) -> list[Neighbour]:
        """Tables whose newest version was made from this one; ``version`` and ``newest`` are this one's."""
        return [Neighbour(**row) for row in self._rows("goes_into", dataset_id=dataset_id)]

    def graph(self, dataset_id: UUID, most: int, limit: int) -> list[TableStep]:
        """What the newest version was made from and what was made from it, up to ``most`` steps away, the nearest first."""
        return [TableStep(**row) for row in self._rows("table_graph", dataset_id=dataset_id, most=most, limit=limit)]

    def column_graph(self, dataset_id: UUID, column: str, most: int, limit: int) -> list[ColumnStep]:
        """The same of a column's values, without what only decides which rows there are."""
        rows = self._rows("column_graph", dataset_id=dataset_id, column=column, most=most, limit=limit)
        return [ColumnStep(**row) for row in rows]

    def column_sources(self, dataset_id: UUID) -> list[ColumnSource]:
        """Which columns this one's come from, as its newest lineage says."""
        return [ColumnSource(**row) for row in self._rows("column_sources", dataset_id=dataset_id)]
