"""Every pipeline spec that ships with us validates, and the migrations apply from nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from migrations.apply import migrate, revisions
from pipelines.spec_source import load
from tests.gate.repository import ROOT

REFERENCE = sorted((ROOT / "pipelines" / "reference").glob("*.yaml"))


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_a_reference_spec_validates_and_is_named_as_its_file(path: Path) -> None:
    assert load(path).pipeline == path.stem


def test_the_reference_pipelines_are_those_of_the_backlog() -> None:
    assert {"odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold"} <= {path.stem for path in REFERENCE}


def test_the_migrations_apply_from_nothing_and_again(empty_database: str) -> None:
    migrate(empty_database)
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        row = connection.execute("select version_num from private.schema_revision").fetchone()
    assert row == (revisions()[-1],)
