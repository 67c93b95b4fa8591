"""Runs sql/0022_pre_steady.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0022_pre_steady"
down_revision: str | None = "0021_pre_pages"


def upgrade() -> None:
    run_file("0022_pre_steady.sql")
