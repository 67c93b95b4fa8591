"""Runs sql/0015_pre_watching.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0015_pre_watching"
down_revision: str | None = "0014_pre_catalog"


def upgrade() -> None:
    run_file("0015_pre_watching.sql")
