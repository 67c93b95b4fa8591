"""Runs sql/0014_pre_catalog.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0014_pre_catalog"
down_revision: str | None = "0013_pre_backfill"


def upgrade() -> None:
    run_file("0014_pre_catalog.sql")
