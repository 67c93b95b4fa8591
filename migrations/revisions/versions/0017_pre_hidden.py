"""Runs sql/0017_pre_hidden.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0017_pre_hidden"
down_revision: str | None = "0016_pre_lists"


def upgrade() -> None:
    run_file("0017_pre_hidden.sql")
