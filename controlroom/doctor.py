"""What ``controlroom doctor`` looks at: what is so, and what to do where it should not be. It starts nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from controlroom.checkups import database, machine, storage, work
from controlroom.checkups.finding import Finding, asked, findings
from ops import embedded
from ops.database import Connection, connect
from ops.errors import ControlRoomError
from ops.settings import Settings


def examine(settings: Settings, only: Collection[str] = ()) -> list[Finding]:
    """All findings, in the order in which one would repair them.

    Args:
        only: of these parts, and of what else would have to be right before they can be asked; no other is touched.
    """
    found = list(_findings(settings, only))
    if not only:
        return found
    kept = [each for each in found if each.what in only or not each.ok]
    said = {each.what for each in kept}
    return kept + [Finding(name, False, _unsaid(kept), "controlroom doctor") for name in only if name not in said]


def _unsaid(wrong: Sequence[Finding]) -> str:
    before = ", ".join(each.what for each in wrong if not each.ok)
    return f"nothing is known of it before {before} is repaired" if before else "there is no such part"


def _findings(settings: Settings, only: Collection[str]) -> Iterator[Finding]:
    yield from findings(machine.checks(settings), only)
    yield from findings(storage.checks(settings), only)
    found = embedded.find(settings.home)
    url = settings.database_url or (found.url() if found else None)
    if url is None:
        said = f"the embedded server of {settings.home} does not run"
        yield Finding("postgres", False, said, "controlroom up")
    else:
        yield from _of_database(settings, url, only)
    yield from findings(work.parts(settings), only)


def _of_database(settings: Settings, url: str, only: Collection[str]) -> Iterator[Finding]:
    try:
        connection: Connection = connect(url, autocommit=True, name="controlroom doctor")
    except ControlRoomError as error:
        failure = error
        yield asked("postgres", lambda: _refused(failure))
        return
    with connection:
        *first, schema = findings(database.checks(connection))
        yield from [*first, schema]
        # What an old schema would answer is not worth asking for.
        if schema.ok:
            yield from findings(database.schema_checks(connection), only)
            yield from findings(work.checks(connection, settings), only)
        else:
            yield Finding("executors", False, "the schema is not as this code needs it", "controlroom migrate")


def _refused(error: ControlRoomError) -> str:
    raise error
