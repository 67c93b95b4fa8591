"""Runs sql/0025_pre_desk.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0025_pre_desk"
down_revision: str | None = "0024_pre_warehouse"


def upgrade() -> None:
    run_file("0025_pre_desk.sql")
