"""``controlroom sql`` with an access token: what Postgres does not say is the holder's, the lake does not give."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from psycopg.conninfo import conninfo_to_dict

from ops.embedded import Cluster
from tests.controlroom.terminal import Terminal

ASK = "select count(*) as n from silver.people"


def test_a_token_reads_no_table_beside_its_own(terminal: Terminal, people: Path, cluster: Cluster) -> None:
    for place in ("rivals/books/dev", "default/demo/prod"):
        pl.read_delta(str(people)).write_delta(str(terminal.home / "lake" / place / "silver" / "people"))
    # Whoever works at the machine reads what somebody put into the lake.
    assert terminal("sql", ASK, "--json").code == 0
    for command in (
        ("org", "create", "rivals", "--admin", "boss"),
        ("project", "create", "rivals/books"),
        ("member", "add", "default/demo", "ann", "--role", "viewer", "--env", "dev"),
    ):
        answer = terminal(*command)
        assert answer.code == 0, answer.err
    token = terminal("token", "create", "t", "--subject", "ann", "--role", "viewer").out.strip()
    holder = cluster.token_url(str(conninfo_to_dict(terminal.database_url)["dbname"]))
    places: tuple[dict[str, str], ...] = (
        {}, {"CONTROLROOM_ENV": "prod"}, {"CONTROLROOM_ORG": "rivals", "CONTROLROOM_PROJECT": "books"},
        {"CONTROLROOM_ORG": "rivals", "CONTROLROOM_PROJECT": "nowhere"},
    )  # fmt: skip
    for where in places:
        answer = Terminal(terminal.home, holder, {"CONTROLROOM_TOKEN": token, **where})("sql", ASK, "--json")
        assert (answer.code, answer.out) == (3, ""), (where, answer.err)
