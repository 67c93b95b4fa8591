"""Each question twice, in turn: by a member under the policies, and by the owner, whom none binds, with the projects named."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.report import Report, Samples
from benchmarks.server import server
from ops.database import AUTHENTICATED, Connection, connect
from ops.sql import queries
from ops.tenancy import Tenancy

HERE = Path(__file__).parent
PAGE = 50
# A word of one failed run in seven, and one that a quarter of all runs have.
WORDS = {"rare": "w3", "common": "ledger"}
COLUMNS = """
    r.id as run_id, o.slug as org, p.slug as project, r.env, r.pipeline, r.pipeline_version, r.status,
    coalesce(l.phase, r.phase) as phase, r.priority, r.attempt, r.max_attempts, r.trigger, r.git_sha, r.tags,
    r.created_at, r.started_at, r.finished_at, r.error_code, r.error_message
"""
# The quickest way without policies that is known to us: a short scan of each project's newest, then a merge.
PLAIN_LISTING = f"""
    select {COLUMNS}
    from ops.projects p
    join ops.orgs o on o.id = p.org_id
    cross join lateral (
        select * from ops.runs where project_id = p.id order by created_at desc, id desc limit {PAGE}
    ) r
    left join ops.run_leases l on l.run_id = r.id
    where p.id = any(%(scope)s)
    order by r.created_at desc, r.id desc
    limit {PAGE}
"""
PLAIN_SEARCH = f"""
    select {COLUMNS}
    from ops.runs r
    join ops.projects p on p.id = r.project_id
    join ops.orgs o on o.id = p.org_id
    left join ops.run_leases l on l.run_id = r.id
    where (to_tsvector('simple'::regconfig,
        r.pipeline || ' ' || coalesce(r.error_code, '') || ' ' || coalesce(r.error_message, '')) @@ %(query)s::tsquery
      or to_tsvector('simple'::regconfig, r.tags) @@ %(query)s::tsquery)
      and r.project_id = any(%(scope)s)
    order by r.created_at desc, r.id desc
    limit {PAGE}
"""


def fill(connection: Connection, runs: int, projects: int) -> None:
    """Fills the tables and their statistics."""
    numbers = {"runs": runs, "projects": projects}
    for statement in (HERE / "fill.sql").read_text().split(";\n"):
        if statement.strip():
            connection.execute(psycopg.ClientCursor(connection).mogrify(statement, numbers).encode())
    connection.execute("vacuum analyze")


def members(connection: Connection, projects: int) -> dict[str, list[object]]:
    """One person for each reach, with the ids of what the person may see."""
    tenancy = Tenancy(connection)
    names = [each.project for each in tenancy.projects() if each.org == "bench"]
    ids = {each.project: each.project_id for each in tenancy.projects()}
    found: dict[str, list[object]] = {}
    for reach, chosen in (("1", names[:1]), ("3", names[:3]), (f"all {projects}", [])):
        everywhere: list[str | None] = [None]
        for name in chosen or everywhere:
            tenancy.set_member("bench", name, f"member of {reach}", "viewer")
        found[f"member of {reach}"] = [ids[name] for name in chosen or names]
    return found


def timed(ask: Callable[[], int]) -> tuple[float, int]:
    """Milliseconds and the number of rows."""
    began = time.perf_counter()
    rows = ask()
    return 1000 * (time.perf_counter() - began), rows


def counted(connection: Connection, query: str, arguments: Mapping[str, object]) -> Callable[[], int]:
    return lambda: len(connection.execute(query.encode(), arguments).fetchall())


def run(quick: bool) -> Report:
    """A page of the newest runs, and two searches, by three people."""
    runs, projects, repeats = (20_000, 20, 3) if quick else (1_000_000, 200, 40)
    seen = Samples()
    listing = queries("reads")["list_runs"]
    everything: dict[str, object] = {"before_at": None, "before_id": None, "limit": PAGE}
    with server() as host:
        url = host.database("ops", migrated=True)
        with connect(url, autocommit=True) as owner:
            fill(owner, runs, projects)
            people = members(owner, projects)
            for person, scope in people.items():
                with connect(url, AUTHENTICATED, {"sub": person}, autocommit=True) as member:
                    asked = {**everything, "filter": "{}", "scope": scope}
                    pairs = {"listing": (counted(member, listing, asked), counted(owner, PLAIN_LISTING, asked))}
                    for kind, word in WORDS.items():
                        asked = {**everything, "filter": Jsonb({"text": word}), "query": f"'{word}':*", "scope": scope}
                        pairs[f"{kind} word"] = (
                            counted(member, listing, asked),
                            counted(owner, PLAIN_SEARCH, asked),
                        )
                    for name, pair in pairs.items():
                        _compare(seen, f"{name}, {person}", pair, repeats)
    report = Report("rls", f"python -m benchmarks rls{' --quick' if quick else ''}", repeats, seen.spreads())
    for person in people:
        for name in ("listing", *(f"{kind} word" for kind in WORDS)):
            row = f"{name}, {person}"
            ratio = seen.ratio("ms", f"{row}, as the member", f"{row}, without policies")
            report.at_most(f"{row} / without policies", ratio, 2)
    report.notes.append(f"{runs:,} runs in {projects} projects; a page of {PAGE}; cache warm; one connection each.")
    report.notes.append("Without policies: the owner, a superuser, asks the same with the member's projects named.")
    return report


def _compare(seen: Samples, row: str, pair: Sequence[Callable[[], int]], repeats: int) -> None:
    member, owner = pair
    for warm in (True, *[False] * repeats):
        (ms, rows), (plain_ms, plain_rows) = timed(member), timed(owner)
        if rows != plain_rows or not rows:
            raise RuntimeError(f"{row}: {rows} rows under the policies, {plain_rows} without")
        if not warm:
            seen.add(f"{row}, as the member", "ms", ms)
            seen.add(f"{row}, without policies", "ms", plain_ms)
