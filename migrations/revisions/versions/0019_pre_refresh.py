"""Runs sql/0019_pre_refresh.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0019_pre_refresh"
down_revision: str | None = "0018_pre_openlineage"


def upgrade() -> None:
    run_file("0019_pre_refresh.sql")
