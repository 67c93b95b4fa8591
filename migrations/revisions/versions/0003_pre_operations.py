"""Runs sql/0003_pre_operations.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0003_pre_operations"
down_revision: str | None = "0002_pre_runs"


def upgrade() -> None:
    run_file("0003_pre_operations.sql")
