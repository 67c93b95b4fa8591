"""Runs sql/0004_pre_catalog.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0004_pre_catalog"
down_revision: str | None = "0003_pre_operations"


def upgrade() -> None:
    run_file("0004_pre_catalog.sql")
