"""Runs sql/0006_pre_tenancy.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0006_pre_tenancy"
down_revision: str | None = "0005_pre_lease_stands_alone"


def upgrade() -> None:
    run_file("0006_pre_tenancy.sql")
