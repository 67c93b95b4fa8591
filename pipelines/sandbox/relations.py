"""Which relations a query names: what follows FROM, JOIN and the commas of a FROM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops.errors import BadInput
from pipelines.sandbox.tokens import Token
from pipelines.sandbox.words import AFTER_TABLE, ENDS_FROM, TABLE_FUNCTIONS, WITH_FROM


@dataclass
class _Level:
    """What is known within one pair of parentheses.

    Attributes:
        query: a SELECT stands in it, so that its FROM names tables.
        opener: the word before the parenthesis.
        wanted: a relation must come next.
    """

    query: bool = False
    opener: Token | None = None
    in_from: bool = False
    wanted: bool = False


@dataclass(frozen=True)
class Relation:
    """A table where the query names it, from token ``start`` to before ``end``.

    Attributes:
        name: dotted ones joined; with its pin, if it has one: ``gold.x@v12``.
        pinned: whether it has.
        renamed: an alias follows.
    """

    name: str
    start: int
    end: int
    pinned: bool
    renamed: bool


def relations(parts: Sequence[Token]) -> tuple[Relation, ...]:
    """The relations, without those that the query defines.

    Raises:
        BadInput: something else than a name, a table function or a subquery stands where a relation must.
    """
    found: list[Relation] = []
    levels = [_Level()]
    at = 0
    while at < len(parts):
        token, level = parts[at], levels[-1]
        if token.symbol("("):
            inner = not _at(parts, at + 1, "select", "with", "values")
            levels.append(_Level(opener=parts[at - 1] if at else None, wanted=level.wanted and inner))
            level.wanted = False
        elif token.symbol(")"):
            if level.wanted:
                raise _no_relation(token)
            levels.pop()
        elif level.wanted:
            level.wanted = False
            at = _relation(parts, at, found)
            continue
        else:
            _clause(parts, at, level)
        at += 1
    if levels[-1].wanted:
        raise BadInput("the SQL ends where a table must be named; Expected: a table, found: EOF")
    own = _defined(parts)
    return tuple(one for one in found if one.name not in own)


def with_pins_quoted(parts: Sequence[Token], found: Sequence[Relation]) -> list[Token]:
    """The tokens as an engine may have them: ``gold.x@v12`` is ``gold."x@v12" as x``, a name like any other.

    Raises:
        BadInput: a pin stands where no table is.
    """
    tables = {one.end - 1: one for one in found if one.pinned}
    written: list[Token] = []
    for at, token in enumerate(parts):
        if token.kind != "pin":
            written.append(token)
            continue
        if at not in tables:
            raise BadInput(f"{token.text[:60]} names the version of a table; it stands right behind a table's name")
        name = written.pop()
        written.append(_quoted(f"{name.value if name.kind == 'quoted' else name.text}@{token.value}", name.apart))
        if not tables[at].renamed:
            written += [
                Token("word", "as", "as", True),
                _quoted(name.value if name.kind == "quoted" else name.text, True),
            ]
    return written


def _quoted(name: str, apart: bool) -> Token:
    return Token("quoted", '"' + name.replace('"', '""') + '"', name, apart)


def _clause(parts: Sequence[Token], at: int, level: _Level) -> None:
    token = parts[at]
    if at and parts[at - 1].symbol("."):
        return
    if token.word("join"):
        level.in_from = level.wanted = True
    elif token.word("from"):
        _from(parts, at, level)
    elif token.symbol(",") and level.in_from:
        level.wanted = True
    elif token.kind == "word" and token.value in ENDS_FROM:
        level.in_from = False
        level.query = level.query or token.word("select")


def _from(parts: Sequence[Token], at: int, level: _Level) -> None:
    if at and parts[at - 1].word("distinct") and at > 1 and parts[at - 2].word("is", "not"):
        return
    if level.query:
        level.in_from = level.wanted = True
    elif level.opener is None or not level.opener.word(*WITH_FROM):
        raise BadInput("FROM stands where no SELECT is; begin the query with SELECT")


def _relation(parts: Sequence[Token], at: int, found: list[Relation]) -> int:
    """Takes the relation at ``at`` and says where the next token is."""
    start = at
    if not parts[at].names or (parts[at].kind == "word" and parts[at].value in ENDS_FROM):
        raise _no_relation(parts[at])
    name = [parts[at].value if parts[at].kind == "quoted" else parts[at].text]
    at += 1
    while at + 1 < len(parts) and parts[at].symbol(".") and parts[at + 1].names:
        name.append(parts[at + 1].value if parts[at + 1].kind == "quoted" else parts[at + 1].text)
        at += 2
    if at < len(parts) and parts[at].symbol("("):
        if len(name) > 1 or name[0].lower() not in TABLE_FUNCTIONS:
            raise BadInput(
                f"{'.'.join(name)[:80]} cannot be called in SQL here; name a table", {"function": name[0][:80]}
            )
        return at
    pin = parts[at] if at < len(parts) and parts[at].kind == "pin" and not parts[at].apart else None
    at += pin is not None
    follows = parts[at] if at < len(parts) else None
    renamed = follows is not None and follows.names and not (follows.kind == "word" and follows.value in AFTER_TABLE)
    full = ".".join(name) + (f"@{pin.value}" if pin else "")
    found.append(Relation(full, start, at, pin is not None, renamed))
    return at


def _defined(parts: Sequence[Token]) -> set[str]:
    """Names before ``AS (SELECT`` – with a list of columns between, or without –: the query's own WITH."""
    names: set[str] = set()
    for at, token in enumerate(parts):
        if not (
            token.word("as") and _symbol(parts, at + 1, "(") and _at(parts, at + 2, "select", "with", "values", "(")
        ):
            continue
        before = at - 1
        if before > 0 and parts[before].symbol(")"):
            while before > 0 and not parts[before].symbol("("):
                before -= 1
            before -= 1
        if (
            before > 0
            and parts[before].names
            and (parts[before - 1].word("with", "recursive") or parts[before - 1].symbol(","))
        ):
            names.add(parts[before].value if parts[before].kind == "quoted" else parts[before].text)
    return names


def _at(parts: Sequence[Token], at: int, *words: str) -> bool:
    return at < len(parts) and (parts[at].word(*words) or parts[at].symbol(*words))


def _symbol(parts: Sequence[Token], at: int, symbol: str) -> bool:
    return at < len(parts) and parts[at].symbol(symbol)


def _no_relation(token: Token) -> BadInput:
    return BadInput(f"{token.text[:60]} stands where a table must be named; tables are named by name, never by a path")
