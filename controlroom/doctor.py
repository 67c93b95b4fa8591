"""What ``controlroom doctor`` looks at: what is so, and what to do where it should not be. It starts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from controlroom.checkups import database, machine, storage, work
from controlroom.checkups.finding import Finding, asked, findings
from ops import embedded
from ops.database import Connection, connect
from ops.errors import ControlRoomError
from ops.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which one would repair them."""
    return list(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from findings(machine.checks(settings))
    yield from findings(storage.checks(settings))
    found = embedded.find(settings.home)
    url = settings.database_url or (found.url() if found else None)
    if url is None:
        said = f"the embedded server of {settings.home} does not run"
        yield Finding("postgres", False, said, "controlroom up")
    else:
        yield from _of_database(settings, url)
    yield from findings(work.parts(settings))


def _of_database(settings: Settings, url: str) -> Iterator[Finding]:
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
            yield from findings(database.schema_checks(connection))
            yield from findings(work.checks(connection, settings))
        else:
            yield Finding("executors", False, "the schema is not as this code needs it", "controlroom migrate")


def _refused(error: ControlRoomError) -> str:
    raise error
