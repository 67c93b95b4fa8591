"""Runs sql/0001_pre_foundation.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0001_pre_foundation"
down_revision: str | None = None


def upgrade() -> None:
    run_file("0001_pre_foundation.sql")
