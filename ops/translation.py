"""The one place where what Postgres and psycopg raise becomes :mod:`ops.errors`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg_pool

from ops.errors import (
    BadInput,
    Conflict,
    ControlRoomError,
    DatabaseUnavailable,
    NotAllowed,
    StackFailed,
    StorageFailed,
    all_errors,
)

_OURS = {kind.sqlstate: kind for kind in all_errors().values() if kind.sqlstate is not None}

_STATES: dict[str, tuple[type[ControlRoomError], str]] = {
    "23505": (Conflict, "choose another name or key"),
    "25P03": (DatabaseUnavailable, "the transaction was left idle too long; repeat it"),
    "28000": (NotAllowed, "check the user of CONTROLROOM_DATABASE_URL"),
    "28P01": (NotAllowed, "check the password of CONTROLROOM_DATABASE_URL"),
    "3D000": (StackFailed, "create the database or correct CONTROLROOM_DATABASE_URL"),
    "3F000": (StackFailed, "run `controlroom migrate`"),
    "42501": (NotAllowed, "ask an admin of the project for a role that may"),
    "42883": (StackFailed, "run `controlroom migrate`"),
    "42P01": (StackFailed, "run `controlroom migrate`"),
    "53100": (StorageFailed, "free some disk space of the database"),
    "57014": (DatabaseUnavailable, "the statement took too long or was canceled; repeat it"),
}
_CLASSES: dict[str, tuple[type[ControlRoomError], str]] = {
    "08": (DatabaseUnavailable, "repeat the call"),
    "22": (BadInput, "correct the value"),
    "23": (BadInput, "correct the value"),
    "40": (DatabaseUnavailable, "repeat the call"),
    "53": (DatabaseUnavailable, "the server lacks resources; repeat the call later"),
    "55": (DatabaseUnavailable, "something else holds it; repeat the call"),
    "57": (DatabaseUnavailable, "the server is stopping or starting; repeat the call"),
}


def translate(error: BaseException) -> ControlRoomError:
    """The typed error for ``error``: by SQLSTATE where there is one, DatabaseUnavailable for a lost connection."""
    if not isinstance(error, psycopg.Error):
        return ControlRoomError(_one_line(str(error)))
    state, said = error.sqlstate, _one_line(error.diag.message_primary or str(error))
    if state is None:
        return _without_state(error, said)
    if (kind := _OURS.get(state)) is not None:
        return kind(said, _detail(error))
    known = _STATES.get(state) or _CLASSES.get(state[:2])
    facts: dict[str, object] = {"sqlstate": state}
    return known[0](f"{said}; {known[1]}", facts) if known else ControlRoomError(f"{said} (SQLSTATE {state})", facts)


def _without_state(error: psycopg.Error, said: str) -> ControlRoomError:
    """psycopg's own errors, and refused connections: libpq gives those no SQLSTATE."""
    if "password authentication failed" in said:
        return NotAllowed(f"{said}; check the password of CONTROLROOM_DATABASE_URL")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | psycopg_pool.PoolTimeout):
        return DatabaseUnavailable(f"Postgres does not answer: {said}; is it running? (`controlroom status`)")
    return ControlRoomError(said)


def _detail(error: psycopg.Error) -> dict[str, object]:
    """The facts that an RPC sends along: JSON in DETAIL."""
    detail, hint = error.diag.message_detail, error.diag.message_hint
    facts: dict[str, object] = {"hint": hint} if hint else {}
    if detail:
        try:
            parsed = json.loads(detail)
        except ValueError:
            parsed = detail
        facts.update(parsed if isinstance(parsed, dict) else {"detail": parsed})
    return facts


def _one_line(text: str) -> str:
    return " · ".join(line.strip() for line in text.splitlines() if line.strip())


@contextmanager
def translated() -> Iterator[None]:
    """Everything that Postgres or psycopg raises in the block comes out as a ControlRoomError."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error
