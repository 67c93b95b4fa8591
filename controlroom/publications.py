"""What ``controlroom publish …`` does: what readers' tables hold, and earlier rows put back."""

from __future__ import annotations

from collections.abc import Mapping

from controlroom.session import Session
from ops.bi import Bi
from ops.errors import NotFound
from ops.model import Scope
from ops.secrets import SecretStore
from pipelines import rollback
from pipelines.published import Published, tenant_of
from pipelines.rollback import Shelf


def shelves(session: Session, dsn: str, env: str, table: str | None = None) -> list[Shelf]:
    """Published tables of the project's environment, each with what is kept of it.

    Args:
        dsn: reference of the readers' database.
        table: only this one.

    Raises:
        NotFound: nothing of the project's is published there.
        SecretMissing, SourceUnreachable: the database is not to be had.
    """
    tenant = _tenant(session, env)
    with rollback.opened(SecretStore(session.settings.home).resolve(dsn), table or "gold") as connection:
        names = [table] if table else rollback.tables(connection)
        found = [shelf for name in names if (shelf := rollback.shelf(connection, name, tenant)).standing]
    if table and not found:
        raise NotFound(f"nothing of {tenant} is published in {table}; `controlroom publish list` shows what is")
    return found


def put_back(
    session: Session, dsn: str, env: str, table: str, to: str | None, note: str
) -> tuple[Published, Published]:
    """Gives readers an earlier version of a table back; what stood there, and what stands there now.

    The audit log's line is tried before anything changes, for whether it may be, and written when the rows have changed.

    Raises:
        NotAllowed: whoever asks is no editor there.
        NotFound, Conflict: no such version is kept, or several are meant.
        SecretMissing, SourceUnreachable, PhaseFailed: as :func:`pipelines.rollback.roll_back` has them.
    """
    project_id, tenant, bi = session.project_id(), _tenant(session, env), Bi(session.connection)

    def written(gone: Published, come: Published) -> None:
        bi.note_rollback(project_id, env, table, _facts(gone), _facts(come), note or None)

    def agreed(gone: Published, come: Published) -> None:
        # Asked at each try, where a reader holds the table: none of these lines stays.
        with session.connection.transaction(force_rollback=True):
            written(gone, come)

    dsn = SecretStore(session.settings.home).resolve(dsn)
    with rollback.opened(dsn, table) as connection:
        gone, come = rollback.roll_back(connection, table, tenant, to, agreed)
    written(gone, come)
    return gone, come


def lines(shelf: Shelf) -> list[dict[str, object]]:
    """A line for what stands in a table and one for each version that is kept."""
    assert shelf.standing is not None
    held = shelf.standing.rolled_back
    stands = [{**_line(shelf, shelf.standing), "state": "stands"}]
    return stands + [
        {
            **_line(shelf, one.published),
            "state": "rolled back" if one.published.fingerprint in held else "kept",
            "since": one.published.kept_at,
        }
        for one in shelf.kept
    ]


def _line(shelf: Shelf, one: Published) -> dict[str, object]:
    return {"table": shelf.table, **_facts(one)}


def _facts(one: Published) -> Mapping[str, object]:
    return {"from": one.table, "version": one.version, "fingerprint": one.fingerprint, "run": one.run_id}


def _tenant(session: Session, env: str) -> str:
    return tenant_of(Scope(session.settings.org, session.settings.project, env))
