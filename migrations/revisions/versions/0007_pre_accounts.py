"""Runs sql/0007_pre_accounts.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0007_pre_accounts"
down_revision: str | None = "0006_pre_tenancy"


def upgrade() -> None:
    run_file("0007_pre_accounts.sql")
