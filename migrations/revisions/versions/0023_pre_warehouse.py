"""Runs sql/0023_pre_warehouse.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0023_pre_warehouse"
down_revision: str | None = "0022_pre_steady"


def upgrade() -> None:
    run_file("0023_pre_warehouse.sql")
