"""Runs sql/0010_pre_caps.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0010_pre_caps"
down_revision: str | None = "0009_pre_schedules"


def upgrade() -> None:
    run_file("0010_pre_caps.sql")
