"""What may be asked of a server: one select. What it may read there is for the server's login to decide, not for us."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ops.errors import BadInput

LONGEST = 100_000
LARGEST = 10**1000
_BEFORE = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_FIRST = re.compile(r"(?:\(|\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z_]*)", re.DOTALL)
# A comment within a comment ends where Postgres ends it and not where Trino does: what is put behind it would be a comment.
_BETWEEN = r"(?:\s+|--[^\n]*(?:\n|$)|/\*(?:(?!/\*).)*?\*/)+"
_WITH = re.compile(rf"with\b(?:{_BETWEEN}recursive\b)?", re.IGNORECASE | re.DOTALL)


def one_select(sql: str) -> str:
    """The statement from its first word on, with the ``;`` at its end taken away.

    That it is one statement, and one that only reads, is seen to by the server: it is prepared as it stands, in a session that
    only reads.

    Raises:
        BadInput: it does not begin as a select does.
    """
    if len(sql) > LONGEST:
        raise BadInput(f"the SQL has {len(sql)} characters; {LONGEST} are taken, split it")
    if "\0" in sql:
        raise BadInput("the SQL holds a zero byte; take it out")
    before = _BEFORE.match(sql)
    assert before is not None
    text = sql[before.end() :].rstrip("; \t\r\n")
    first = _FIRST.match(text)
    assert first is not None
    if not text:
        raise BadInput("there is no SQL; write a select")
    if first[1].lower() not in ("select", "with", "values"):
        found = first[1] or text[first.start(1) :]
        raise BadInput(f"only a select can be asked; Expected: SELECT, WITH or VALUES, found: {found[:40]}")
    # What ends in a comment must not take with it what is put behind it.
    return text + "\n"


def with_params(sql: str, params: Mapping[str, object]) -> str:
    """``sql``, as :func:`one_select` left it, with the one row of a table ``params`` before it; as it is without any.

    Raises:
        BadInput: a value that cannot be written down.
    """
    if not params:
        return sql
    row = ", ".join(f"{literal(value, name)} as {_quoted(name)}" for name, value in params.items())
    table = f"params as (select {row})"
    leading = _WITH.match(sql)
    if leading is None:
        return f"with {table} {sql}"
    return f"{leading[0]} {table}, {sql[leading.end() :].lstrip()}"


def literal(value: object, name: str) -> str:
    """A value as SQL that Postgres (with standard_conforming_strings) and Trino read alike."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < LARGEST:
        return str(value)
    if isinstance(value, float) and value - value == 0:
        return repr(value)
    if isinstance(value, str) and "\0" not in value:
        return "'" + value.replace("'", "''") + "'"
    raise BadInput(f"parameter {name} is a {type(value).__name__} that SQL has no literal for; give a text or a number")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
