"""Runs sql/0005_pre_lease_stands_alone.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0005_pre_lease_stands_alone"
down_revision: str | None = "0004_pre_catalog"


def upgrade() -> None:
    run_file("0005_pre_lease_stands_alone.sql")
