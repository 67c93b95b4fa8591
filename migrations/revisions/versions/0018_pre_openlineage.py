"""Runs sql/0018_pre_openlineage.sql. Forward only: there is no downgrade."""

from migrations.apply import run_file

revision = "0018_pre_openlineage"
down_revision: str | None = "0017_pre_hidden"


def upgrade() -> None:
    run_file("0018_pre_openlineage.sql")
