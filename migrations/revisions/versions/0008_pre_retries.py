"""Runs sql/0008_pre_retries.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0008_pre_retries"
down_revision: str | None = "0007_pre_accounts"


def upgrade() -> None:
    run_file("0008_pre_retries.sql")
