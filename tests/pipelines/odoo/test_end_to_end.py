"""The three reference pipelines through the real handlers and the real lake, from both sources to the readers."""

from __future__ import annotations

from pathlib import Path

import psycopg

from ops.artifacts import ArtifactStore
from ops.model import Fingerprint, Scope, TableVersion
from ops.secrets import SecretStore
from pipelines.handler import Context
from pipelines.lake import Lake
from pipelines.odoo.generator import mutate
from pipelines.registry import handler_for
from pipelines.spec import phase_inputs
from pipelines.spec_source import load
from tests.pipelines.fences import Runs
from tests.pipelines.odoo.conftest import REFERENCE
from tests.pipelines.odoo.test_marts import MARTS, SQL, repr_of_row

NAMES = ("odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold")


class Medallion:
    """Runs whole pipelines phase after phase, in this process."""

    def __init__(self, source: str, readers: str, home: Path) -> None:
        (home / "secrets").mkdir(parents=True)
        (home / "secrets" / "odoo_dsn").write_text(source)
        (home / "secrets" / "gold_dsn").write_text(readers)
        self.readers, self.home = readers, home
        self.lake = Lake(str(home / "lake"), Scope("default", "demo", "dev"))
        self.runs = Runs(readers)

    def run(self, name: str) -> dict[str, Fingerprint | None]:
        """Output fingerprint by phase."""
        owner = self.runs.claim()
        made: dict[str, Fingerprint | None] = {}
        for phase in load(REFERENCE / f"{name}.yaml").phases:
            versions = {table: self.lake.version(table) for table in phase_inputs(phase)}
            inputs = {name: TableVersion(name, found) for name, found in versions.items() if found is not None}
            context = Context(
                run_id=owner.run_id,
                lease_token=owner.token,
                scope=self.lake.scope,
                pipeline=name,
                git_sha="0" * 40,
                attempt=1,
                params={},
                inputs=inputs,
                lake=self.lake,
                artifacts=ArtifactStore(str(self.home / "artifacts")),
                fence=owner,
                secrets=SecretStore(self.home),
                progress=lambda *args, **facts: None,
                scratch=self.home,
            )
            made[phase.name] = handler_for(phase.kind)(context, phase).output_fingerprint
        return made

    def differences(self, source: str) -> list[str]:
        """Marts whose published rows are not what plain SQL on the source says."""
        wrong = []
        with psycopg.connect(source) as odoo, psycopg.connect(self.readers) as readers:
            for mart in MARTS:
                cursor = odoo.execute((SQL / f"{mart}.sql").read_bytes())
                columns = ", ".join(f'"{column.name}"' for column in cursor.description or ())
                published = readers.execute(f"select {columns} from gold.{mart}".encode()).fetchall()
                if sorted(published, key=repr_of_row) != sorted(cursor.fetchall(), key=repr_of_row):
                    wrong.append(mart)
        return wrong


def test_the_real_odoo_becomes_marts_that_agree_with_it(odoo_clone: str, empty_database: str, tmp_path: Path) -> None:
    medallion = Medallion(odoo_clone, empty_database, tmp_path)
    for name in NAMES:
        medallion.run(name)
    assert medallion.differences(odoo_clone) == []


def test_days_of_changes_reach_the_marts_and_a_repeat_changes_no_fingerprint(
    group_database: str, empty_database: str, tmp_path: Path
) -> None:
    medallion = Medallion(group_database, empty_database, tmp_path)
    for name in NAMES:
        medallion.run(name)
    assert medallion.differences(group_database) == []
    mutate(group_database, 1)
    assert medallion.differences(group_database) != []
    first = [medallion.run(name) for name in NAMES]
    assert medallion.differences(group_database) == []
    assert [medallion.run(name) for name in NAMES[1:]] == first[1:]
