"""The reference pipelines are valid, cover the contract, and their checks hold on both sources."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.expectations import Other
from pipelines.odoo.silver import contract
from pipelines.spec import TransformPhase, ValidatePhase, phase_outputs
from pipelines.spec_source import load
from tests.pipelines.odoo.conftest import REFERENCE, Frames

NAMES = ("odoo_ingest_bronze", "bronze_to_silver", "silver_to_gold")


def outputs(name: str) -> set[str]:
    return {table for phase in load(REFERENCE / f"{name}.yaml").phases for table in phase_outputs(phase)}


def test_every_contracted_table_is_ingested_and_becomes_silver() -> None:
    assert outputs("odoo_ingest_bronze") == {f"bronze.{name}" for name in contract().tables}
    company = {
        name
        for name, table in contract().tables.items()
        if any(column.meaning == "company_dependent" for column in table.columns.values())
    }
    expected = {f"silver.{name}" for name in contract().tables} | {f"silver.{name}_company" for name in company}
    assert outputs("bronze_to_silver") == expected


def test_silver_keys_are_the_contract_keys() -> None:
    for phase in load(REFERENCE / "bronze_to_silver.yaml").phases:
        if isinstance(phase, TransformPhase):
            name = str(phase.with_["table"])
            extra = ("company_id",) if phase.output.table == f"silver.{name}_company" else ()
            assert phase.output.key == contract().tables[name].key + extra, phase.name


def test_every_mart_is_checked_before_it_is_published() -> None:
    phases = {phase.name: phase for phase in load(REFERENCE / "silver_to_gold.yaml").phases}
    marts = [table.removeprefix("gold.") for table in outputs("silver_to_gold")]
    assert len(marts) >= 6
    for mart in marts:
        check = phases[f"check_{mart}"]
        assert isinstance(check, ValidatePhase)
        assert any(one.sum and one.sum.equals for one in check.expect), f"{mart} is not tied to the books"
        assert f"check_{mart}" in phases[f"publish_{mart}"].depends_on


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_sums_that_the_checks_compare_are_equal(name: str, silver_frames: Frames, gold_frames: Frames) -> None:
    frames = silver_frames | gold_frames
    compared = 0
    for phase in load(REFERENCE / f"{name}.yaml").phases:
        if not isinstance(phase, ValidatePhase):
            continue
        for one in phase.expect:
            if one.sum and one.sum.equals:
                own = Other(table=phase.table, column=one.sum.column, where=one.sum.where)
                assert total(frames, own) == total(frames, one.sum.equals), phase.name
                compared += 1
            if one.unique:
                assert frames[phase.table].select(one.unique.columns).is_unique().all(), phase.name
            if one.nulls:
                assert frames[phase.table][one.nulls.column].null_count() == 0, phase.name
            if one.holds:
                assert frames[phase.table].select(pl.sql_expr(one.holds.sql).all()).item(), phase.name
    assert compared > 0


def total(frames: Frames, of: Other) -> object:
    frame = frames[of.table]
    rows = frame if of.where is None else frame.filter(pl.sql_expr(of.where))
    return rows[of.column].sum()
