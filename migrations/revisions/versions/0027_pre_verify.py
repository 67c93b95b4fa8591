"""Runs sql/0027_pre_verify.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0027_pre_verify"
down_revision: str | None = "0026_pre_drain"


def upgrade() -> None:
    run_file("0027_pre_verify.sql")
