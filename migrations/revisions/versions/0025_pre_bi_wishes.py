"""Runs sql/0025_pre_bi_wishes.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0025_pre_bi_wishes"
down_revision: str | None = "0024_pre_desk"


def upgrade() -> None:
    run_file("0025_pre_bi_wishes.sql")
