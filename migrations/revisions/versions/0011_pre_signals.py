"""Runs sql/0011_pre_signals.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0011_pre_signals"
down_revision: str | None = "0010_pre_caps"


def upgrade() -> None:
    run_file("0011_pre_signals.sql")
