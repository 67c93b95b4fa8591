"""Runs sql/0016_pre_lists.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0016_pre_lists"
down_revision: str | None = "0015_pre_watching"


def upgrade() -> None:
    run_file("0016_pre_lists.sql")
