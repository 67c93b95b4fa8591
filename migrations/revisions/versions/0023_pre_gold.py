"""Runs sql/0023_pre_gold.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0023_pre_gold"
down_revision: str | None = "0022_pre_steady"


def upgrade() -> None:
    run_file("0023_pre_gold.sql")
