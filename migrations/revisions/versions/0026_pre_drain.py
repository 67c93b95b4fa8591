"""Runs sql/0026_pre_drain.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0026_pre_drain"
down_revision: str | None = "0025_pre_bi_wishes"


def upgrade() -> None:
    run_file("0026_pre_drain.sql")
