"""What a narrow right must not widen to: tokens and members of one environment, people on their way out, people at a lock."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from ops.accounts import Accounts
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.embedded import Cluster
from ops.errors import BadInput, Conflict, NotAllowed, NotFound
from ops.model import PhaseStatus, RunId
from ops.rpc import Rpc
from ops.scores import Scores
from ops.tenancy import Tenancy
from ops.translation import translated
from tests.migrations.acting import BOSS, GUEST, MATE, Act, person
from tests.migrations.test_access_tokens import token_session
from tests.operating import PHASES, SPEC, Operator

REFUSED = (NotAllowed, NotFound)


def test_a_token_of_one_environment_administers_nothing_as_a_whole(
    acme: Connection, cluster: Cluster, database: str
) -> None:
    token = Tenancy(acme).create_access_token("ci", "admin", None, ["dev"], subject=BOSS)
    acts: list[Act] = [
        lambda held: held.set_member("acme", None, GUEST, "admin"),
        lambda held: held.set_member("acme", None, GUEST, "viewer", ["dev"]),
        lambda held: held.create_project("acme", "cellar"),
        lambda held: Scores(held.source).set_weight("retries", 0),
    ]
    with token_session(cluster, database, token) as held:
        for act in acts:
            with pytest.raises(REFUSED):
                act(Tenancy(held))
        assert {each.project for each in Tenancy(held).audit_log()} == {"books", "shelf"}


def test_a_token_neither_leaves_nor_revokes_for_its_owner(acme: Connection, cluster: Cluster, database: str) -> None:
    books = Rpc(acme).ensure_project("acme", "books")
    owner = Tenancy(acme)
    owner.set_member("rivals", "books", BOSS, "viewer")
    token = owner.create_access_token("ci", "viewer", books, ["dev"], subject=BOSS)
    owner.create_access_token("laptop", subject=BOSS)
    with token_session(cluster, database, token) as held:
        tenancy = Tenancy(held)
        assert {each.org for each in tenancy.members()} == {"acme"}
        assert [each.name for each in tenancy.access_tokens()] == ["ci"]
        acts: list[Act] = [
            lambda held: held.remove_member("rivals", "books", BOSS),
            lambda held: held.remove_member("acme", None, BOSS),
            lambda held: held.revoke_access_token("laptop"),
        ]
        for act in acts:
            with pytest.raises(REFUSED):
                act(tenancy)
        tenancy.revoke_access_token("ci")
        assert tenancy.projects() == []


def test_leaving_what_one_is_not_in_tells_nothing(acme: Connection) -> None:
    said = set()
    for org, project in (("rivals", "books"), ("rivals", None), ("rivals", "nowhere"), ("nowhere", None)):
        with person(acme, BOSS) as boss, pytest.raises(NotFound) as refused:
            boss.remove_member(org, project, BOSS)
        said.add(refused.value.message)
    with person(acme, MATE) as mate, pytest.raises(NotFound) as refused:
        mate.set_member("acme", "shelf", GUEST, "viewer")
    assert said == {refused.value.message}


def test_who_sees_dev_reads_of_prod_neither_the_log_nor_the_keys(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    tenancy = Tenancy(connection)
    tenancy.set_member("default", "demo", BOSS, "admin")
    tenancy.set_member("default", "demo", MATE, "admin", ["dev"])
    operator.succeeded()
    tenancy.promote_pipeline(project, "demo", 1, "stage")
    with acting_as(connection, AUTHENTICATED, {"sub": BOSS}) as boss:
        Rpc(boss).create_run(
            project, "stage", "demo", SPEC, "5" * 64, "a" * 40, PHASES, {"account": "hidden"}, idempotency_key="nightly"
        )  # fmt: skip
    with person(connection, MATE) as mate:
        log = mate.audit_log(project)
        assert {each.action for each in log} >= {"memberships.insert"}
        assert "hidden" not in str(log)
        assert "promotions.insert" not in {each.action for each in log}
        run = Rpc(mate.source).create_run(
            project, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES, idempotency_key="nightly"
        )
        assert run
    with person(connection, BOSS) as boss_again:
        assert "hidden" in str(boss_again.audit_log(project))


def test_who_was_removed_goes_on_in_no_transaction(acme: Connection, database: str) -> None:
    with psycopg.connect(database) as held:
        held.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        held.execute("select set_config('request.jwt.claims', %s, false)", [f'{{"sub": "{BOSS}"}}'])
        held.execute("set role authenticated")
        assert held.execute("select count(*) from ops.projects").fetchone() != (0,)
        Tenancy(acme).set_member("acme", None, GUEST, "admin")
        Tenancy(acme).remove_member("acme", None, BOSS)
        with pytest.raises(NotAllowed, match="read committed"), translated():
            held.execute("select ops.set_member('acme', null, %s, 'admin')", [MATE])


def test_the_last_admin_of_an_org_is_one_of_every_environment(acme: Connection) -> None:
    Tenancy(acme).set_member("acme", None, GUEST, "admin", ["dev"])
    with person(acme, BOSS) as boss, pytest.raises(Conflict, match="only admin"):
        boss.remove_member("acme", None, BOSS)


def test_who_was_removed_reads_not_even_what_he_did(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        boss.set_member("acme", "books", MATE, "admin")
    with person(acme, MATE) as mate:
        mate.set_member("acme", "books", GUEST, "viewer")
        assert mate.audit_log() != []
    Tenancy(acme).remove_member("acme", "books", MATE)
    with person(acme, MATE) as mate:
        assert mate.audit_log() == []


def test_weights_of_all_are_not_one_orgs(acme: Connection) -> None:
    Tenancy(acme).set_member("rivals", None, GUEST, "admin")
    with person(acme, BOSS) as boss, pytest.raises(NotAllowed, match="installation"):
        Scores(boss.source).set_weight("failed_checks", 0)


def test_a_disabled_account_has_no_tokens(acme: Connection, cluster: Cluster, database: str) -> None:
    accounts = Accounts(acme)
    accounts.add(BOSS)
    token = Tenancy(acme).create_access_token("laptop", subject=BOSS)
    with token_session(cluster, database, token) as held:
        assert Tenancy(held).projects() != []
        accounts.disable(BOSS)
        assert Tenancy(held).projects() == []
        with pytest.raises(NotAllowed), translated():
            held.execute("select ops.use_access_token()")


def test_a_stranger_holds_no_lock_and_ends_no_session(acme: Connection, cluster: Cluster, database: str) -> None:
    token = Tenancy(acme).create_access_token("laptop", subject=BOSS)
    with token_session(cluster, database, token) as held:
        for role in ("authenticated", "none"):
            held.execute(f"set role {role}".encode())
            for call in (
                "pg_advisory_lock(1464162113)", "pg_try_advisory_lock(7, 1)", "pg_advisory_xact_lock(1)",
                "pg_terminate_backend(1)", "pg_cancel_backend(1)", "count(*) from pg_stat_activity",
            ):  # fmt: skip
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    held.execute(f"select {call}".encode())


@pytest.mark.parametrize(
    ("spec", "phases", "changes", "said"),
    [
        (SPEC, (), {}, "p_phases must be"),
        (SPEC, PHASES[:1], {}, "p_phases must be"),
        (SPEC, PHASES, {"priority": -(2**31)}, "p_priority is -2147483648"),
        (SPEC, PHASES, {"max_attempts": 1000}, "p_max_attempts 1000"),
        ({**SPEC, "dsn": "postgresql://u:hunter2@h/db"}, PHASES, {}, "address with a password"),
    ],
)
def test_what_a_person_says_of_a_run_is_not_believed(
    operator: Operator, connection: Connection, spec: dict[str, object], phases: tuple[object, ...],
    changes: dict[str, object], said: str,
) -> None:  # fmt: skip
    project = operator.owner.ensure_project("default", "demo")
    Tenancy(connection).set_member("default", "demo", BOSS, "editor")
    with pytest.raises(BadInput, match=said), acting_as(connection, AUTHENTICATED, {"sub": BOSS}) as editor:
        Rpc(editor).create_run(project, "dev", "demo", spec, "7" * 64, "a" * 40, phases, **changes)  # type: ignore[arg-type]


def ended_without(operator: Operator, phases: int) -> None:
    """A run that an executor of another kind calls a success after so many of its phases."""
    operator.queue(phases=PHASES[:phases])
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    for phase in PHASES[:phases]:
        operator.executor.start_phase(run.run_id, run.lease_token, phase.name)
        operator.executor.finish_phase(run.run_id, run.lease_token, phase.name, PhaseStatus.SUCCEEDED, {})
    operator.executor.complete_run(run.run_id, run.lease_token, {})


def test_a_promotion_asks_for_every_phase_of_the_spec(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    for phases in (0, 1):
        ended_without(operator, phases)
        with pytest.raises(Conflict, match="has not succeeded in dev"):
            Tenancy(connection).promote_pipeline(project, "demo", 1, "stage")
    ended_without(operator, 2)
    Tenancy(connection).promote_pipeline(project, "demo", 1, "stage")


def test_a_retry_does_not_lose_the_checks_that_failed(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    operator.executor.finish_phase(run_id, token, "bronze", PhaseStatus.SUCCEEDED, {})
    operator.executor.record_signal(run_id, token, "failed_checks", 3.0, {})
    operator.executor.fail_run(run_id, token, "INTERNAL", "no")
    operator.owner.retry_run(run_id)
    retried = operator.claim()
    operator.executor.start_run(retried.run_id, retried.lease_token)
    operator.executor.start_phase(retried.run_id, retried.lease_token, "checks")
    operator.executor.finish_phase(retried.run_id, retried.lease_token, "checks", PhaseStatus.SUCCEEDED, {})
    operator.executor.complete_run(retried.run_id, retried.lease_token, {})
    with pytest.raises(Conflict, match="has not succeeded in dev"):
        Tenancy(connection).promote_pipeline(project, "demo", 1, "stage")


def test_a_parent_is_no_way_to_run_what_is_not_promoted_any_more(operator: Operator, connection: Connection) -> None:
    project, tenancy = operator.owner.ensure_project("default", "demo"), Tenancy(connection)
    tenancy.set_member("default", "demo", BOSS, "operator")
    operator.succeeded()
    tenancy.promote_pipeline(project, "demo", 1, "stage")
    old = operator.succeeded(env="stage")
    operator.succeeded(spec_sha256="6" * 64)
    tenancy.promote_pipeline(project, "demo", 2, "stage")

    def again(parent: RunId) -> uuid.UUID:
        with acting_as(connection, AUTHENTICATED, {"sub": BOSS}) as person_:
            return Rpc(person_).create_run(
                project, "stage", "demo", SPEC, "5" * 64, "a" * 40, PHASES, parent_run=parent
            )

    with pytest.raises(Conflict, match="stage runs version 2"):
        again(old)
