"""Runs sql/0013_pre_backfill.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0013_pre_backfill"
down_revision: str | None = "0012_pre_alerts"


def upgrade() -> None:
    run_file("0013_pre_backfill.sql")
