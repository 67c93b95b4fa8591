"""Runs sql/0009_pre_schedules.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0009_pre_schedules"
down_revision: str | None = "0008_pre_retries"


def upgrade() -> None:
    run_file("0009_pre_schedules.sql")
