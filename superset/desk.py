"""From the ops schema and gold to what is to stand in Superset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from ops.bi import Bi
from ops.catalog import Catalog, Entry
from ops.database import Connection
from ops.model import Scope
from ops.tenancy import MemberRow, Tenancy
from superset import gold
from superset.bundle import TENANT, Certificate, Dataset, Publication
from superset.description import FoundColumn, mart_of
from superset.gold import Standing
from superset.publish import Wanted
from superset.security import Person

LAYER = "gold."
AUTHORS = frozenset({"editor", "admin"})


@dataclass(frozen=True)
class Desk:
    """Where a project's environment is found: its rows of ops, its gold, the page that its runs are shown on.

    Attributes:
        bi_url: where people open Superset.
    """

    ops: Connection
    project_id: UUID
    scope: Scope
    gold_dsn: str
    password: str
    bi_url: str
    page_url: str = ""

    def wanted(self, owner: psycopg.Connection) -> Wanted:
        """What is to stand in Superset, read now. ``owner`` is connected to gold as the owner of its tables."""
        tenant = f"{self.scope.org}/{self.scope.project}/{self.scope.env}"
        standing = gold.standing(owner, tenant)
        entries = [
            one
            for one in Catalog(self.ops).entries(self.project_id, self.scope.env)
            if one.table.startswith(LAYER) and one.table.removeprefix(LAYER) in standing
        ]
        runs = {one.table.removeprefix(LAYER): self._certificate(one, standing) for one in entries}
        datasets = [self._dataset(one, runs) for one in entries]
        uri = gold.reader_url(self.gold_dsn, gold.login_of(self.project_id, self.scope))
        return Wanted(
            Publication(self.project_id, self.scope, uri, datasets),
            self.password,
            {name: one for name, one in runs.items() if one is not None},
            {one.name: gold.count_rows(owner, one.name, tenant) for one in datasets},
            people_of(Tenancy(self.ops).members(self.scope.org), self.scope),
            self.bi_url,
        )

    def _certificate(self, entry: Entry, standing: Mapping[str, Standing]) -> Certificate | None:
        """The certificate that the rows in gold have earned: they are the released ones, and their run's checks passed."""
        there = standing[entry.table.removeprefix(LAYER)]
        # A newer version with the same rows is not published again: the rows are what counts.
        if entry.fingerprint != there.fingerprint:
            return None
        made = next((one for one in Catalog(self.ops).versions(entry.dataset_id) if one.version == entry.version), None)
        if made is None:
            return None
        verdicts = Bi(self.ops).phase_verdicts(made.run_id)
        passed = bool(verdicts) and all(verdicts.values())
        return Certificate(made.run_id, made.version, there.fingerprint, tuple(verdicts)) if passed else None

    def _dataset(self, entry: Entry, runs: Mapping[str, Certificate | None]) -> Dataset:
        name = entry.table.removeprefix(LAYER)
        notes = {column: note.description for column, note in entry.notes.items()}
        columns = {
            column: FoundColumn(column, kind, notes.get(column, ""))
            for column, kind in entry.columns.items()
            if column != TENANT
        }
        certificate = runs[name]
        url = f"{self.page_url}/run?id={certificate.run_id}" if certificate and self.page_url else ""
        mart = mart_of(name, columns)
        return Dataset(name, mart, columns, entry.dataset_id, entry.description, tuple(entry.owners), url)


def people_of(members: Sequence[MemberRow], scope: Scope) -> list[Person]:
    """Whoever sees the project's environment; of several memberships the one that allows most counts."""
    found: dict[str, bool] = {}
    for one in members:
        if one.project in (None, scope.project) and scope.env in one.envs:
            found[one.subject] = found.get(one.subject, False) or one.role in AUTHORS
    return [Person(subject, author) for subject, author in sorted(found.items())]
