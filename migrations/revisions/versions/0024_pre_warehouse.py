"""Runs sql/0024_pre_warehouse.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0024_pre_warehouse"
down_revision: str | None = "0023_pre_gold"


def upgrade() -> None:
    run_file("0024_pre_warehouse.sql")
