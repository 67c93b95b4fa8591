"""Runs sql/0024_pre_desk.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0024_pre_desk"
down_revision: str | None = "0023_pre_warehouse"


def upgrade() -> None:
    run_file("0024_pre_desk.sql")
