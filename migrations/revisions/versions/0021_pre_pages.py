"""Runs sql/0021_pre_pages.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0021_pre_pages"
down_revision: str | None = "0020_pre_superset"


def upgrade() -> None:
    run_file("0021_pre_pages.sql")
