"""Members, tokens, grants, secrets and promotions: what each allows, who may give it, and that the log remembers."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import BadInput, Conflict, ControlRoomError, LeaseLost, NotAllowed, NotFound
from ops.model import NewPhase, PhaseStatus
from ops.rpc import Rpc
from ops.tenancy import Tenancy
from tests.migrations.acting import BOSS, GUEST, MATE, Act, person
from tests.operating import PHASES, SPEC, Operator, commit


def subjects(connection: Connection, who: str) -> list[str]:
    with person(connection, who) as tenancy:
        return [each.subject for each in tenancy.members()]


def test_an_admin_makes_projects_and_members_and_a_member_does_not(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        boss.create_project("acme", "attic")
        boss.set_member("acme", "attic", MATE, "editor", ["dev", "stage"])
    assert subjects(acme, MATE) == [MATE]
    assert subjects(acme, BOSS) == [BOSS, MATE]
    with person(acme, MATE) as mate, pytest.raises(NotAllowed):
        mate.set_member("acme", "attic", GUEST, "viewer")
    with person(acme, MATE) as mate, pytest.raises(NotAllowed):
        mate.create_project("acme", "cellar")


@pytest.mark.parametrize("org", ["rivals", "nowhere"])
def test_what_is_anothers_looks_like_what_does_not_exist(acme: Connection, org: str) -> None:
    said = set()
    acts: list[Act] = [
        lambda boss: boss.set_member(org, "books", BOSS, "admin"),
        lambda boss: boss.set_member(org, None, BOSS, "admin"),
        lambda boss: boss.remove_member(org, "books", "somebody"),
        lambda boss: boss.create_project(org, "cellar"),
    ]
    for act in acts:
        with person(acme, BOSS) as boss, pytest.raises(NotFound) as caught:
            act(boss)
        said.add(caught.value.message)
    assert said == {"there is no such org or project; check the name"}


def test_nobody_gives_more_than_he_has(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        boss.set_member("acme", "books", MATE, "admin", ["dev"])
    with person(acme, MATE) as mate:
        mate.set_member("acme", "books", GUEST, "viewer", ["dev"])
    for envs in (["prod"], ["dev", "prod"]):
        with person(acme, MATE) as mate, pytest.raises(ControlRoomError):
            mate.set_member("acme", "books", GUEST, "viewer", envs)
        with person(acme, MATE) as mate, pytest.raises(ControlRoomError):
            mate.set_member("acme", "books", MATE, "admin", envs)
    with person(acme, MATE) as mate, pytest.raises(NotAllowed):
        mate.set_member("acme", None, MATE, "admin", ["dev"])
    with person(acme, MATE) as mate, pytest.raises(ControlRoomError):
        mate.set_member("acme", "shelf", MATE, "admin", ["dev"])


def test_an_admin_of_one_environment_does_not_take_another_from_anyone(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        boss.set_member("acme", "books", MATE, "admin", ["dev"])
        boss.set_member("acme", "books", GUEST, "operator", ["dev", "prod"])
    acts: list[Act] = [
        lambda mate: mate.set_member("acme", "books", GUEST, "viewer", ["dev"]),
        lambda mate: mate.remove_member("acme", "books", GUEST),
    ]
    for act in acts:
        with person(acme, MATE) as mate, pytest.raises(ControlRoomError):
            act(mate)


def test_the_last_admin_of_an_org_stays(acme: Connection) -> None:
    with person(acme, BOSS) as boss, pytest.raises(Conflict, match="only admin"):
        boss.remove_member("acme", None, BOSS)
    with person(acme, BOSS) as boss, pytest.raises(Conflict, match="only admin"):
        boss.set_member("acme", None, BOSS, "viewer")
    with person(acme, BOSS) as boss:
        boss.set_member("acme", None, MATE, "admin")
        boss.remove_member("acme", None, BOSS)
    assert subjects(acme, BOSS) == []


def test_who_is_removed_sees_nothing_with_the_next_statement(acme: Connection) -> None:
    with person(acme, BOSS) as boss:
        boss.set_member("acme", "books", MATE, "viewer")
    with acting_as(acme, AUTHENTICATED, {"sub": MATE}) as held:
        assert len(held.execute("select id from ops.projects").fetchall()) == 1
        # The same session and transaction, with claims that are as good as before.
        held.execute("reset role")
        Tenancy(held).remove_member("acme", "books", MATE)
        held.execute("set local role authenticated")
        assert held.execute("select id from ops.projects").fetchall() == []


@pytest.mark.parametrize(
    "fault",
    [("boss", "emperor", ["dev"]), ("boss", "viewer", []), ("boss", "viewer", ["test"]), ("", "viewer", ["dev"])],
)
def test_a_membership_that_means_nothing_is_refused(acme: Connection, fault: tuple[str, str, list[str]]) -> None:
    subject, role, envs = fault
    with pytest.raises(BadInput):
        Tenancy(acme).set_member("acme", "books", subject, role, envs)


def test_a_shared_dataset_is_read_by_the_other_project_in_that_environment_only(
    operator: Operator, connection: Connection
) -> None:
    tenancy, owner = Tenancy(connection), operator.owner
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    operator.executor.record_dataset(run_id, token, "bronze", commit(7))
    operator.complete(run_id, token)
    reader = owner.ensure_project("rivals", "books")
    tenancy.set_member("rivals", "books", GUEST, "viewer")
    dataset = tenancy.dataset_id("default", "demo", "dev", "silver.sale_order")
    mine = owner.create_run(reader, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
    claimed = operator.claim()
    assert claimed.run_id == mine
    asked = (mine, claimed.lease_token, "default", "demo", "silver.sale_order")

    def seen() -> int:
        with acting_as(connection, AUTHENTICATED, {"sub": GUEST}) as guest:
            return len(guest.execute("select * from ops.datasets natural left join ops.dataset_versions").fetchall())

    with pytest.raises(NotAllowed, match="is not shared with this project"):
        operator.executor.shared_dataset(*asked)
    assert seen() == 0
    tenancy.share_dataset(dataset, reader)
    assert operator.executor.shared_dataset(*asked) == 7
    assert seen() == 1
    with acting_as(connection, AUTHENTICATED, {"sub": GUEST}) as guest:
        assert guest.execute("select * from ops.runs where project_id <> %s", [reader]).fetchall() == []
    tenancy.set_member("rivals", "books", GUEST, "viewer", ["prod"])
    assert seen() == 0
    tenancy.unshare_dataset(dataset, reader)
    with pytest.raises(NotAllowed):
        operator.executor.shared_dataset(*asked)
    with pytest.raises(LeaseLost):
        operator.executor.shared_dataset(mine, type(claimed.lease_token)(999), *asked[2:])


def test_only_an_admin_of_the_owner_shares(operator: Operator, connection: Connection) -> None:
    run_id, token = operator.running()
    operator.executor.start_phase(run_id, token, "bronze")
    operator.executor.record_dataset(run_id, token, "bronze", commit())
    tenancy = Tenancy(connection)
    reader = operator.owner.ensure_project("rivals", "books")
    tenancy.set_member("rivals", "books", GUEST, "admin")
    tenancy.set_member("default", "demo", MATE, "editor")
    dataset = tenancy.dataset_id("default", "demo", "dev", "silver.sale_order")
    for subject, refusal in ((GUEST, NotFound), (MATE, NotAllowed)):
        with person(connection, subject) as somebody, pytest.raises(refusal):
            somebody.share_dataset(dataset, reader)
    with pytest.raises(NotFound):
        tenancy.share_dataset(dataset, uuid.uuid4())


def test_a_run_may_resolve_what_its_project_was_allowed_in_its_environment(
    operator: Operator, connection: Connection
) -> None:
    tenancy, project = Tenancy(connection), operator.owner.ensure_project("default", "demo")
    run_id, token = operator.running()
    assert operator.executor.run_secrets(run_id, token) == frozenset()
    tenancy.allow_secret(project, "secret://env/ODOO_URL", ["dev"])
    tenancy.allow_secret(project, "secret://file/books/*", ["dev", "prod"])
    tenancy.allow_secret(project, "secret://env/PROD_URL", ["prod"])
    tenancy.allow_secret(operator.owner.ensure_project("rivals", "books"), "secret://env/RIVALS")
    assert operator.executor.run_secrets(run_id, token) == {"secret://env/ODOO_URL", "secret://file/books/*"}
    tenancy.disallow_secret(project, "secret://env/ODOO_URL")
    assert operator.executor.run_secrets(run_id, token) == {"secret://file/books/*"}
    for reference in ("ODOO_URL", "secret://", "secret://env/*/x", "postgresql://user:pw@host/db"):
        with pytest.raises(BadInput, match="no secret reference"):
            tenancy.allow_secret(project, reference)


def test_stage_and_prod_run_what_was_promoted_after_it_had_succeeded_below(
    operator: Operator, connection: Connection
) -> None:
    tenancy, project = Tenancy(connection), operator.owner.ensure_project("default", "demo")
    with pytest.raises(NotFound, match="no version 1"):
        tenancy.promote_pipeline(project, "demo", 1, "stage")
    operator.owner.cancel_run(operator.queue(phases=()), "never ran")
    with pytest.raises(Conflict, match="has not succeeded in dev"):
        tenancy.promote_pipeline(project, "demo", 1, "stage")
    with pytest.raises(Conflict, match="stage runs none yet"):
        operator.queue(env="stage")
    operator.succeeded()
    tenancy.promote_pipeline(project, "demo", 1, "stage", "works")
    with pytest.raises(Conflict, match="has not succeeded in stage"):
        tenancy.promote_pipeline(project, "demo", 1, "prod")
    operator.succeeded(env="stage")
    tenancy.promote_pipeline(project, "demo", 1, "prod")
    operator.succeeded(env="prod")
    with pytest.raises(Conflict, match="version 2 of demo and prod runs version 1"):
        operator.queue(env="prod", spec_sha256="6" * 64)
    [second, first] = tenancy.pipeline_versions(project, "demo") if operator.succeeded(spec_sha256="6" * 64) else []
    assert (second.promoted_to, first.promoted_to) == ([], ["stage", "prod"])
    tenancy.promote_pipeline(project, "demo", 2, "stage")
    with pytest.raises(Conflict, match="stage runs version 2"):
        operator.queue(env="stage")


def test_a_failed_check_keeps_a_version_from_being_promoted(operator: Operator, connection: Connection) -> None:
    project = operator.owner.ensure_project("default", "demo")
    operator.queue(phases=[NewPhase("checks", "validate")])
    run = operator.claim()
    mine = run.run_id, run.lease_token
    operator.executor.start_run(*mine)
    operator.executor.start_phase(*mine, "checks")
    operator.executor.finish_phase(*mine, "checks", PhaseStatus.SUCCEEDED, {})
    operator.executor.record_signal(*mine, "failed_checks", 1.0)
    operator.executor.complete_run(*mine, {})
    with pytest.raises(Conflict, match="with all its checks"):
        Tenancy(connection).promote_pipeline(project, "demo", 1, "stage")


def test_promoting_needs_an_editor_of_the_environment(operator: Operator, connection: Connection) -> None:
    tenancy, project = Tenancy(connection), operator.owner.ensure_project("default", "demo")
    operator.succeeded()
    tenancy.set_member("default", "demo", MATE, "editor", ["dev"])
    tenancy.set_member("default", "demo", GUEST, "operator")
    for subject, refusal in ((MATE, NotFound), (GUEST, NotAllowed)):
        with person(connection, subject) as somebody, pytest.raises(refusal):
            somebody.promote_pipeline(project, "demo", 1, "stage")


def test_the_log_says_who_did_what_and_how_it_was_before(operator: Operator, connection: Connection) -> None:
    tenancy, project = Tenancy(connection), operator.owner.ensure_project("default", "demo")
    tenancy.set_member("default", None, BOSS, "admin")
    with person(connection, BOSS) as boss:
        boss.source.execute(  # type: ignore[union-attr]
            """select set_config('request.headers', '{"user-agent": "browser", "x-forwarded-for": "192.0.2.7"}', true)"""
        )
        boss.set_member("default", "demo", MATE, "viewer")
        boss.set_member("default", "demo", MATE, "operator", ["dev"])
        boss.remove_member("default", "demo", MATE)
        run = Rpc(boss.source).create_run(project, "dev", "demo", SPEC, "5" * 64, "a" * 40, PHASES)
        Rpc(boss.source).cancel_run(run, "enough")
    log = tenancy.audit_log(project)
    mine = [each for each in log if each.subject == BOSS]
    assert [each.action for each in mine[::-1]] == [
        "memberships.insert", "memberships.update", "memberships.delete", "pipelines.insert", "runs.create", "runs.cancel",
    ]  # fmt: skip
    changed = mine[4]
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before["role"], changed.after["role"]) == ("viewer", "operator")
    assert (changed.before["envs"], changed.after["envs"]) == (["dev", "stage", "prod"], ["dev"])
    assert {each.origin.get("forwarded_for") for each in mine} == {"192.0.2.7"}
    assert {each.acting_role for each in mine} == {"authenticated"}
    assert mine[0].target == mine[1].target == str(run)
    # A member who answers for nothing sees what is his own.
    tenancy.set_member("default", "demo", MATE, "viewer")
    with person(connection, MATE) as mate:
        assert mate.audit_log(project) == []
    for statement in ("update ops.audit_log set subject = 'x'", "delete from ops.audit_log", "truncate ops.audit_log"):
        with pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(statement.encode())


def test_a_role_that_only_inherits_is_a_person_without_membership(operator: Operator, database: str) -> None:
    run_id = operator.queue()
    name = f"bob_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(f"create role {name} login password 'x' in role authenticated".encode())
        try:
            login = psycopg.conninfo.make_conninfo(database, user=name, password="x")
            with psycopg.connect(login, autocommit=True) as bob:
                for call in ("cancel_run(%s, 'mine')", "retry_run(%s)"):
                    with pytest.raises(psycopg.Error, match="no such project or run"):
                        bob.execute(f"select ops.{call}".encode(), [run_id])
        finally:
            owner.execute(f"drop role {name}".encode())
