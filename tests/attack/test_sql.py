"""Everybody with SQL of his own, as ``authenticated``: every table, every verb, every function, every trick with claims."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from ops.backfills import Backfills
from ops.database import AUTHENTICATED
from ops.embedded import Cluster
from ops.errors import ControlRoomError
from ops.model import NewPhase, RefreshAsked
from ops.query_reads import QueryPage
from ops.reads import Reads
from ops.refreshes import Refreshes
from ops.rpc import Rpc
from ops.run_filter import RunFilter
from ops.schedules import Freshness, Schedules
from ops.tenancy import Tenancy
from ops.translation import translated
from ops.warehouse import Question, Warehouse
from tests.attack.population import GIT_SHA, SHA256, Person, Population, Scope
from tests.attack.tally import Tally

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# Facts about the installation, which whoever belongs to it may read.
SHARED = frozenset({"executors", "capabilities", "channels", "routing_matrix", "signal_weights"})


@contextmanager
def as_person(connection: psycopg.Connection, subject: str) -> Iterator[psycopg.Connection]:
    """A transaction in which the person may do what he can, and of which nothing stays."""
    claims = json.dumps({"sub": subject, "role": "authenticated"})
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        connection.execute("set local role authenticated")
        yield connection


def columns(connection: psycopg.Connection) -> dict[str, set[str]]:
    rows = connection.execute(
        "select c.relname, array_agg(a.attname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'ops'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition "
        "and a.attnum > 0 and not a.attisdropped group by 1 order by 1"
    )
    return {name: set(names) for name, names in rows.fetchall()}


def rows_of(table: str, has: set[str], scope: Scope) -> tuple[str, list[object], bool]:
    """A condition for the rows of a scope, its arguments, and whether the rows belong to the environment."""
    by_run = "run_id in (select id from ops.runs where project_id = %s and env = %s)"
    by_output = "output_id in (select id from ops.dataset_versions where dataset_id = %s)"
    by_map = "map_id in (select id from ops.column_maps where dataset_id = %s)"
    project = [scope.project_id]
    rules: list[tuple[bool, tuple[str, list[object], bool]]] = [
        (table == "orgs", ("id = %s", [scope.org_id], False)),
        (table == "prices", ("org_id = %s", [scope.org_id], False)),
        (table == "projects", ("id = %s", [*project], False)),
        (table == "cap_usage", ("project_id = %s and run_id is null", [*project], False)),
        ("env" in has, ("project_id = %s and env = %s", [*project, scope.env], True)),
        ("run_id" in has, (by_run, [*project, scope.env], True)),
        ("dataset_id" in has and table != "grants", ("dataset_id = %s", [scope.dataset], True)),
        ("map_id" in has, (by_map, [scope.dataset], True)),
        ("output_id" in has, (by_output, [scope.dataset], True)),
        ("project_id" in has, ("project_id = %s", [*project], False)),
    ]
    return next((rule for applies, rule in rules if applies), ("true", [], False))


def test_no_row_of_anothers_is_read(population: Population, tally: Tally) -> None:
    """Ids are fetched by the owner first: the attacker's sub-selects would hide what a policy leaks."""
    tables = {name: has for name, has in columns(tally.owner).items() if name not in SHARED}
    theirs: dict[tuple[str, str], list[str]] = {}
    for name, has in tables.items():
        for scope in population.scopes:
            condition, arguments, _ = rows_of(name, has, scope)
            query = sql.SQL("select t::text from {} t where {}").format(
                sql.Identifier("ops", name),
                sql.SQL(condition),
            )
            theirs[name, scope.mark] = [row for (row,) in tally.owner.execute(query, arguments).fetchall()]
    empty = {name for name in tables if not any(theirs[name, scope.mark] for scope in population.scopes)}
    assert empty <= {"access_tokens"}, f"nothing was to be read of {empty}"
    with psycopg.connect(population.url, autocommit=True) as connection:
        for person in population.people:
            with as_person(connection, person.subject) as acting:
                seen = {
                    name: {row for (row,) in acting.execute(
                        sql.SQL("select t::text from {} t").format(sql.Identifier("ops", name))
                    )}
                    for name in tables
                }  # fmt: skip
            for scope in population.scopes:
                for name, has in tables.items():
                    by_environment = rows_of(name, has, scope)[2]
                    if person.may_see(scope) or (not by_environment and _knows(person, scope, name)):
                        continue
                    leaked = seen[name].intersection(theirs[name, scope.mark])
                    if name in ("memberships", "audit_log"):
                        leaked = {row for row in leaked if person.subject not in row}
                    tally.tried(bool(leaked), f"{person.subject} reads {len(leaked)} rows of {scope.mark} in {name}")
    assert tally.attempts > 5000


def _knows(person: Person, scope: Scope, table: str) -> bool:
    """Whether rows that belong to no environment are the person's to see."""
    if table in ("orgs", "prices"):
        return person.org == scope.org
    if table in ("memberships", "audit_log"):
        return person.belongs_to(scope) and person.role == "admin"
    if table == "secret_grants":
        return person.belongs_to(scope) and person.role in ("editor", "admin")
    return person.belongs_to(scope)


def test_no_table_is_written_by_hand(population: Population, tally: Tally) -> None:
    verbs = ("insert into {0} default values", "update {0} set {1} = {1}", "delete from {0}", "truncate {0} cascade")
    tables = columns(tally.owner)
    with psycopg.connect(population.url, autocommit=True) as connection:
        for person in population.people:
            for name, has in tables.items():
                for verb in verbs:
                    statement = sql.SQL(verb).format(sql.Identifier("ops", name), sql.Identifier(sorted(has)[0]))
                    with as_person(connection, person.subject) as acting:
                        try:
                            acting.execute(statement)
                            done = True
                        except psycopg.errors.InsufficientPrivilege:
                            done = False
                    tally.tried(done, f"{person.subject}: {verb} on {name}")


Act = Callable[[Rpc, Tenancy, Scope], object]
ACTS: dict[str, Act] = {
    "create_run": lambda rpc, _, s: rpc.create_run(
        s.project_id, s.env, "job", {"version": 1, "pipeline": "job", "note": f"mark-{s.org}-{s.project}"}, SHA256, GIT_SHA,
        []),
    "create_run with a new spec": lambda rpc, _, s: rpc.create_run(s.project_id, s.env, "x", {}, "6" * 64, GIT_SHA, []),
    "cancel_run queued": lambda rpc, _, s: rpc.cancel_run(s.queued, "mine"),  # type: ignore[arg-type]
    "cancel_run ended": lambda rpc, _, s: rpc.cancel_run(s.ended, "mine"),  # type: ignore[arg-type]
    "retry_run": lambda rpc, _, s: rpc.retry_run(s.ended),  # type: ignore[arg-type]
    "verify_event_chain": lambda rpc, _, s: rpc.verify_event_chain(s.ended),  # type: ignore[arg-type]
    "register_pipeline": lambda rpc, _, s: rpc.register_pipeline(s.project_id, "job", {"x": s.env}, "7" * 64, GIT_SHA),
    "promote": lambda _, tenancy, s: tenancy.promote_pipeline(s.project_id, "job", 1, "prod" if s.env == "prod" else "stage"),
    "set_member": lambda _, tenancy, s: tenancy.set_member(s.org, s.project, "friend", "admin", [s.env]),
    "set_member of the org": lambda _, tenancy, s: tenancy.set_member(s.org, None, "friend", "admin"),
    "remove_member": lambda _, tenancy, s: tenancy.remove_member(s.org, s.project, f"admin@{s.org}+{s.project}"),
    "create_project": lambda _, tenancy, s: tenancy.create_project(s.org, "mine"),
    "create_access_token": lambda _, tenancy, s: tenancy.create_access_token("t", "admin", s.project_id, subject="x"),
    "create_access_token for another": lambda _, tenancy, s: tenancy.create_access_token("t", subject=f"admin@{s.org}"),
    "share_dataset": lambda _, tenancy, s: tenancy.share_dataset(s.dataset, s.project_id),
    "unshare_dataset": lambda _, tenancy, s: tenancy.unshare_dataset(s.dataset, s.project_id),
    "allow_secret": lambda _, tenancy, s: tenancy.allow_secret(s.project_id, "secret://env/X"),
    "create_org": lambda _, tenancy, s: tenancy.create_org("mine"),
    "ensure_project": lambda rpc, _, s: rpc.ensure_project(s.org, "mine"),
    "requeue_stale_runs": lambda rpc, _, s: rpc.requeue_stale_runs(),
    "claim_run": lambda rpc, _, s: rpc.claim_run(uuid.uuid4()),
    "complete_run": lambda rpc, _, s: rpc.complete_run(s.queued, 1, {}),  # type: ignore[arg-type]
    "cap_allow": lambda rpc, _, s: rpc.cap_allow(s.mark, 1),  # type: ignore[arg-type]
    "check_results": lambda rpc, _, s: Reads(rpc.source).check_results(s.ended),  # type: ignore[arg-type]
    "start_refresh": lambda _, tenancy, s: Refreshes(tenancy.source).start(
        s.project_id, s.env, RefreshAsked(
            "job", {"version": 1, "pipeline": "job"}, SHA256, GIT_SHA, {}, [NewPhase("c", "compare")], 1, None)),
    "swap_refresh": lambda _, tenancy, s: Refreshes(tenancy.source).swap(s.refresh),
    "roll_back_refresh": lambda _, tenancy, s: Refreshes(tenancy.source).roll_back(s.refresh, later=True),
    "put_schedule": lambda _, tenancy, s: Schedules(tenancy.source).put(
        s.project_id, s.env, "mine", {"pipeline": "job", "kind": "webhook"}),
    "pause_schedule": lambda _, tenancy, s: Schedules(tenancy.source).pause(s.schedule),
    "resume_schedule": lambda _, tenancy, s: Schedules(tenancy.source).resume(s.schedule),
    "remove_schedule": lambda _, tenancy, s: Schedules(tenancy.source).remove(s.schedule),
    "fire_schedule": lambda _, tenancy, s: Schedules(tenancy.source).fire(s.schedule),
    "create_webhook_secret": lambda _, tenancy, s: Schedules(tenancy.source).create_webhook_secret(s.schedule),
    "decide_events": lambda _, tenancy, s: Schedules(tenancy.source).decide_events(s.schedule),
    "start_backfill": lambda _, tenancy, s: Backfills(tenancy.source).start(
        s.project_id, s.env, {"pipeline": "job", "values": ["a"]}),
    "start_backfill as a dry run": lambda _, tenancy, s: Backfills(tenancy.source).start(
        s.project_id, s.env, {"pipeline": "job", "values": ["a"]}, dry_run=True),
    "pause_backfill": lambda _, tenancy, s: Backfills(tenancy.source).pause(s.backfill),
    "resume_backfill": lambda _, tenancy, s: Backfills(tenancy.source).resume(s.backfill),
    "cancel_backfill": lambda _, tenancy, s: Backfills(tenancy.source).cancel(s.backfill),
    "advance_backfills": lambda _, tenancy, s: Backfills(tenancy.source).advance(),
    "retry_run from a phase": lambda rpc, _, s: rpc.retry_run(s.ended, "land"),  # type: ignore[arg-type]
    "replay_run": lambda _, tenancy, s: Backfills(tenancy.source).replay(s.ended),  # type: ignore[arg-type]
    "preview_rerun": lambda _, tenancy, s: Backfills(tenancy.source).preview(s.ended, "replay"),  # type: ignore[arg-type]
    "put_freshness_rule": lambda _, tenancy, s: Freshness(tenancy.source).put_rule(
        s.project_id, s.env, "gold.mine", timedelta(1), timedelta(1)),
    "submit_query": lambda _, tenancy, s: Warehouse(tenancy.source).submit(s.place, Question("select 1")),
    "save_answer": lambda _, tenancy, s: QueryPage(tenancy.source).save(s.ended, "mine"),  # type: ignore[arg-type]
    "remove_freshness_rule": lambda _, tenancy, s: Freshness(tenancy.source).remove_rule(s.project_id, s.env, "gold.late"),
}  # fmt: skip
# What a member of the project, or an admin of it elsewhere, may do beside the environments that are hidden from him.
OF_THE_PROJECT = frozenset({"register_pipeline", "remove_member", "create_project", "set_member of the org"})


def test_no_call_reaches_another(population: Population, tally: Tally) -> None:
    with psycopg.connect(population.url, autocommit=True) as connection:
        for person, scope in population.attempts():
            for name, act in ACTS.items():
                # Nothing is promoted to dev: for a member of the project the attempt is one on stage, which may be his.
                if person.belongs_to(scope) and (name in OF_THE_PROJECT or (name, scope.env) == ("promote", "dev")):
                    continue
                refusal = None
                try:
                    with translated(), as_person(connection, person.subject) as acting:
                        act(Rpc(acting), Tenancy(acting), scope)
                except ControlRoomError as error:
                    refusal = error
                refused = refusal is not None and refusal.code in ("NOT_FOUND", "NOT_ALLOWED")
                told = refusal is not None and scope.mark in refusal.message
                tally.tried(told, f"{name} tells {person.subject} of {scope.mark}: {refusal}")
                said = f" ({refusal.code})" if refusal else ""
                tally.tried(not refused, f"{person.subject}: {name} on {scope.mark}{said}")
    assert tally.attempts > 5000


INJECTIONS = (
    "' or true --", "'; reset role; select * from ops.runs; --", "%' or '1'='1", "\\'; drop table ops.runs; --",
    "$$; set role service_role; $$", "x') or project_id is not null --", "{}', true); reset role --", "\u0000",
    "' union select t::text from ops.runs t --", "%s", "%(org)s", "*:*", "a & !b", "\ud800",
)  # fmt: skip


LOOKED_FOR: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("org", "project", "env", "pipeline", "text", "executor", "root_run"), str),
    **dict.fromkeys(("status", "trigger"), lambda text: (text,)),
    "tags": lambda text: {text: text},
}


def looked_for(reads: Reads, name: str, made: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: reads.list_runs(RunFilter(**{name: made(text)}))  # type: ignore[arg-type]


def test_no_filter_is_an_injection(population: Population, tally: Tally) -> None:
    """Every text that a read takes, by people of two kinds; what comes back is searched for every other scope's mark."""
    people = [person for person in population.people if person.subject in ("nobody", "viewer@acme+books+dev")]
    with psycopg.connect(population.url, autocommit=True) as connection:
        for person in people:
            reads = Reads(connection, AUTHENTICATED, {"sub": person.subject})
            asks: dict[str, Callable[[str], object]] = {
                **{name: looked_for(reads, name, made) for name, made in LOOKED_FOR.items()},
                "run": reads.resolve_run,
                "datasets": reads.datasets,
                "project_id": lambda text: reads.project_id(text, text),  # noqa: B023
                "subject": lambda text: Reads(connection, AUTHENTICATED, {"sub": text}).list_runs(),
            }
            for name, ask in asks.items():
                for text in INJECTIONS:
                    answer = ""
                    try:
                        answer = repr(ask(text))
                    except (ControlRoomError, UnicodeError) as error:
                        answer = str(error)
                    hidden = [s.mark for s in population.scopes if not person.may_see(s) and s.mark in answer]
                    tally.tried(bool(hidden), f"{person.subject} by {name}={text!r} sees {hidden}")


@pytest.mark.parametrize("login", ["controlroom_login", "controlroom_token"])
def test_a_login_alone_is_nobody(population: Population, cluster: Cluster, tally: Tally, login: str) -> None:
    """A login without a token, or with claims of its own making, and every role that it might take."""
    name = tally.owner.info.dbname
    url = cluster.login_url(name) if login == "controlroom_login" else cluster.token_url(name)
    tables = columns(tally.owner)
    with psycopg.connect(url, autocommit=True) as connection:
        for table in tables:
            try:
                connection.execute(sql.SQL("select * from {}").format(sql.Identifier("ops", table)))
                tally.tried(True, f"{login} reads {table}")
            except psycopg.errors.InsufficientPrivilege:
                tally.tried(False, "")
        for role in ("service_role", "controlroom_executor", "controlroom_bi", "controlroom", "pg_read_all_data"):
            for form in ("set role {}", "set session authorization {}"):
                try:
                    connection.execute(sql.SQL(form).format(sql.Identifier(role)))
                    tally.tried(True, f"{login}: {form} {role}")
                except psycopg.errors.InsufficientPrivilege:
                    tally.tried(False, "")
        if login == "controlroom_token":
            connection.execute("set role authenticated")
            for person in population.people:
                connection.execute(
                    "select set_config('request.jwt.claims', %s, false), set_config('controlroom.token', %s, false)",
                    [json.dumps({"sub": person.subject}), f"crt_{uuid.uuid4().hex}"],
                )
                for table in tables:
                    seen = connection.execute(
                        sql.SQL("select 1 from {} limit 1").format(sql.Identifier("ops", table))
                    ).fetchall()
                    tally.tried(bool(seen), f"claims of {person.subject} without a token read {table}")
