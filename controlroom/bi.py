"""What ``controlroom superset …`` does: a desk for the project of the settings, and one session with Superset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from controlroom import processes
from controlroom.bi_server import superset_url
from controlroom.secret_files import kept_secret
from controlroom.session import Session, session
from ops.bi import Bi, BiObject
from ops.errors import NotFound
from ops.model import Scope
from ops.secrets import SecretStore
from ops.settings import Settings
from superset import gold
from superset.client import Superset
from superset.desk import Desk
from superset.plan import Step, plan, unpublish
from superset.publish import Report, Say, Wanted, asked_of, publish, strange_datasets
from superset.security import Security
from superset.state import observe
from superset.verify import Finding, verify

GOLD = "secret://file/gold_dsn"


@dataclass(frozen=True)
class Work:
    """Everything that a command needs, open."""

    opened: Session
    desk: Desk
    owner: psycopg.Connection
    client: Superset
    wish: Wanted

    @property
    def bi(self) -> Bi:
        return Bi(self.opened.connection)


@contextmanager
def work(settings: Settings, seeing: bool = True) -> Iterator[Work]:
    """Opens the ops schema, gold and Superset; one command of a project's environment at a time.

    Args:
        seeing: the command needs something in gold to publish.

    Raises:
        NotFound: nothing of the project stands in gold.
        SecretMissing, SourceUnreachable, NotAllowed, StackFailed: as the parts have them.
    """
    store = SecretStore(settings.home)
    with session(settings) as opened:
        project_id = opened.project_id()
        scope = Scope(settings.org, settings.project, settings.env)
        password = store.resolve(settings.superset_password or "")
        dsn = store.resolve(GOLD)
        login = gold.login_of(project_id, scope)
        url = superset_url(settings)
        desk = Desk(
            opened.connection, project_id, scope, dsn, kept_secret(settings.home, login),
            settings.superset_public_url or url, _page_url(settings),
        )  # fmt: skip
        with (
            Superset.signed_in(url, settings.superset_user, password) as client,
            gold.opened(dsn) as owner,
        ):
            owner.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"superset {project_id} {scope.env}"])
            wish = desk.wanted(owner)
            if seeing and not wish.publication.datasets:
                raise NotFound(
                    f"nothing of {scope.org}/{scope.project} ({scope.env}) stands in gold; run silver_to_gold, or publish a "
                    "gold table with `shared: true`"
                )
            yield Work(opened, desk, owner, client, wish)


def publish_gold(settings: Settings, say: Say) -> Report:
    """Publishes the project of the settings."""
    with work(settings) as at:
        gold.ensure_reader(
            at.owner, gold.login_of(at.desk.project_id, at.desk.scope), at.desk.password, at.wish.publication.tenant
        )
        return publish(at.client, at.bi, at.wish, say)


def plan_gold(settings: Settings) -> list[Step]:
    """What a publish would do now."""
    with work(settings) as at:
        return plan(at.client, at.bi, at.wish)


def verify_gold(settings: Settings) -> tuple[list[BiObject], list[Finding]]:
    """The datasets that were published, and what is wrong with their isolation."""
    with work(settings) as at:
        objects = [one for one in at.bi.objects(at.desk.project_id, at.desk.scope.env) if one.kind == "dataset"]
        if not objects:
            raise NotFound("nothing of this project is published; `controlroom superset publish` does it")
        seen = observe(at.client, at.wish.publication, [("dataset", one.name) for one in objects])
        missing = [
            Finding(one.name, "the dataset", "is not there; publish makes it again")
            for one in objects
            if ("dataset", one.name) not in seen
        ]
        roles = Security(at.client).role_ids()
        asked = asked_of(seen, at.wish.rows)
        return objects, [
            *missing,
            *verify(at.client, at.wish.publication, asked, strange_datasets(at.client, seen), roles),
        ]


def unpublish_gold(settings: Settings) -> Sequence[Step]:
    """Takes the project out of Superset, and its login out of gold."""
    with work(settings, seeing=False) as at:
        steps = unpublish(at.client, at.bi, at.wish)
        gold.drop_reader(at.owner, gold.login_of(at.desk.project_id, at.desk.scope))
        return steps


def set_password(settings: Settings, subject: str, password: str) -> None:
    """Gives a member's user in Superset a password.

    Raises:
        NotFound: the member has no user there yet.
    """
    with work(settings, seeing=False) as at:
        user = Security(at.client).user(subject)
        if user is None or subject not in {one.subject for one in at.wish.people}:
            raise NotFound(
                f"{subject} is no member here, or was not published yet; `controlroom superset plan` shows who is"
            )
        at.client.put(f"/security/users/{user['id']}", {"password": password})


def _page_url(settings: Settings) -> str:
    part = processes.recorded(settings.home).get("dashboard")
    return settings.public_url or (part.where if part is not None else "")
