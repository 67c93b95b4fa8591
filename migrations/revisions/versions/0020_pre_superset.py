"""Runs sql/0020_pre_superset.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0020_pre_superset"
down_revision: str | None = "0019_pre_refresh"


def upgrade() -> None:
    run_file("0020_pre_superset.sql")
