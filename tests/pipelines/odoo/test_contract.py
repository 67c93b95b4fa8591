"""The contract fits the real Odoo 19, and keeps secrets out."""

from __future__ import annotations

import pytest

from ops.errors import SchemaDrift
from pipelines.odoo.silver import contract
from pipelines.sources.postgres import PostgresSource


def test_the_real_odoo_is_what_the_contract_says(odoo_database: str) -> None:
    names = list(contract().tables)
    with PostgresSource(odoo_database).snapshot() as snapshot:
        found = snapshot.columns(names)
    contract().compare(names, found)
    found["account_move"].pop("amount_total")  # type: ignore[attr-defined]
    with pytest.raises(SchemaDrift, match="account_move.amount_total is missing"):
        contract().compare(names, found)


def test_three_groups_share_at_least_25_tables() -> None:
    groups = {group: len(contract().group(group)) for group in ("finance", "ops", "masterdata")}
    assert sum(groups.values()) == len(contract().tables) >= 25
    assert all(groups.values())


def test_every_json_says_what_it_means_and_every_company_value_its_type() -> None:
    for name, table in contract().tables.items():
        for column, spec in table.columns.items():
            assert (spec.type == "json") == (spec.meaning is not None), f"{name}.{column}"
            assert (spec.meaning == "company_dependent") == (spec.value is not None), f"{name}.{column}"


def test_tables_without_write_date_are_compared_by_their_composite_key() -> None:
    relations = {name: table for name, table in contract().tables.items() if name.endswith("_rel")}
    assert len(relations) >= 3
    assert all(table.sync == "snapshot" and table.key == tuple(table.columns) for table in relations.values())


def test_no_secret_and_no_private_data_is_read() -> None:
    forbidden = ("password", "totp", "token", "private_", "ssn", "passport", "birthday", "pin")
    named = [f"{name}.{column}" for name, table in contract().tables.items() for column in table.columns]
    assert [
        one
        for one in named
        if any(one.split(".")[1].startswith(word) or word in one.split(".")[1].split("_") for word in forbidden)
    ] == []
