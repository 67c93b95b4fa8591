"""Runs sql/0012_pre_alerts.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0012_pre_alerts"
down_revision: str | None = "0011_pre_signals"


def upgrade() -> None:
    run_file("0012_pre_alerts.sql")
