"""Runs sql/0002_pre_runs.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0002_pre_runs"
down_revision: str | None = "0001_pre_foundation"


def upgrade() -> None:
    run_file("0002_pre_runs.sql")
