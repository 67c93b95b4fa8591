"""The gate: one SELECT (or WITH … SELECT) that reads named tables and calls known functions, or a refusal.

Default deny. It does not parse SQL as an engine does; it refuses whatever could make an engine do more than compute over
the tables that it was given, however the engine parses it: a call of anything that is not on the list, a second statement,
a relation that is not one of the tables. Nothing is opened, planned or run here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ops.errors import BadInput
from pipelines.sandbox.relations import relations, with_pins_quoted
from pipelines.sandbox.tokens import Token, render, tokens
from pipelines.sandbox.words import CHANGES, FUNCTIONS, SYNTAX, TABLE_FUNCTIONS, UNSTEADY, WITH_FROM

# Polars 2.1 builds trees that its own recursion cannot walk: a chain of 2,000 || or 1,000 UNIONs ended the process.
MOST_OPERATORS = 600
MOST_SELECTS = 100
DEEPEST = 48
_QUERY = ("select", "with", "from", "values", "table")


@dataclass(frozen=True)
class Admitted:
    """A query that passed.

    Attributes:
        sql: what an engine may be given; the text that was read, not the text that came.
        relations: tables that it names, those of its own WITH left out, in the order in which they stand; with the version
            where one is named: ``gold.x@v12``, which in ``sql`` is ``gold."x@v12"``.
        steady: on the same rows it gives the same answer tomorrow.
        mentions: words and quoted names in it, in lower case; ``*`` where all columns are meant.
    """

    sql: str
    relations: tuple[str, ...]
    steady: bool = True
    mentions: frozenset[str] = frozenset()


def admit(sql: str, tables: Collection[str] | None = None) -> Admitted:
    """The query, if it may run.

    Args:
        tables: names that it may read; None to learn which it wants.

    Raises:
        BadInput: with what was refused, and what to write.
    """
    parts = _one_statement(tokens(sql))
    if not parts:
        raise BadInput("there is no SQL; write a select")
    first = next((token for token in parts if not token.symbol("(")), parts[0])
    if not first.word("select", "with"):
        raise BadInput(f"only a select can be asked; Expected: SELECT or WITH, found: {first.text[:40]}")
    _check(parts)
    found = relations(parts)
    named = tuple(dict.fromkeys(one.name for one in found))
    for name in named:
        if tables is not None and name not in tables:
            raise BadInput(f"no input is called {name!r}; there are {', '.join(tables)}", {"relation": name})
    steady = not any(token.word(*UNSTEADY) for token in parts)
    return Admitted(render(with_pins_quoted(parts, found)), named, steady, _mentions(parts))


def _mentions(parts: Sequence[Token]) -> frozenset[str]:
    names = {token.value.lower() for token in parts if token.names}
    for number, (before, token) in enumerate(_with_before(parts)):
        counts = before is not None and before.symbol("(") and number > 1 and parts[number - 2].word("count")
        all_columns = before is not None and (before.symbol(",", ".", "(") or before.word("select", "distinct", "all"))
        if token.word("columns", "natural") or (token.symbol("*") and all_columns and not counts):
            names.add("*")
    return frozenset(names)


def admit_condition(sql: str) -> str:
    """A condition over the columns of one table, if it may be evaluated: no query within it.

    Raises:
        BadInput: with what was refused.
    """
    parts = tokens(sql)
    for before, token in _with_before(parts):
        compares = token.word("from") and ((before and before.word("distinct")) or _in_function(parts, token))
        if token.symbol(";") or (token.word(*_QUERY) and not compares):
            raise BadInput(f"a condition reads the columns of one table; {token.text} cannot stand in it")
        if token.kind == "pin":
            raise BadInput(f"{token.text[:60]} names the version of a table; a condition reads the columns of one")
    _check(parts)
    return render(parts)


def _one_statement(parts: list[Token]) -> list[Token]:
    while parts and parts[-1].symbol(";"):
        parts = parts[:-1]
    if any(token.symbol(";") for token in parts):
        raise BadInput("one (and only one) statement can be asked at a time; take away what follows the first ;")
    return parts


def _with_before(parts: Sequence[Token]) -> list[tuple[Token | None, Token]]:
    return list(zip([None, *parts[:-1]], parts, strict=True))


def _check(parts: Sequence[Token]) -> None:
    _check_size(parts)
    depth: list[str] = []
    for number, (before, token) in enumerate(_with_before(parts)):
        earlier = parts[number - 2] if number > 1 else None
        if token.word(*CHANGES) and not (before and before.symbol(".")):
            raise BadInput(
                f"{token.text} changes things or reaches beyond the tables; quote it if it is a column's name"
            )
        if token.symbol("(", "["):
            depth.append(")" if token.symbol("(") else "]")
            if token.symbol("(") and before is not None:
                _check_call(before, earlier, parts[number + 1 :])
        elif token.symbol(")", "]") and (not depth or depth.pop() != token.value):
            raise BadInput(f"{token.value} closes nothing; pair the parentheses")
        if len(depth) > DEEPEST:
            raise BadInput(f"parentheses are nested deeper than {DEEPEST}; use WITH")
    if depth:
        raise BadInput(f"{depth[-1]} is missing at the end; pair the parentheses")


def _check_size(parts: Sequence[Token]) -> None:
    operators = sum(token.word("and", "or") or _operates(token) for token in parts)
    if operators > MOST_OPERATORS:
        raise BadInput(f"the SQL has {operators} operators, {MOST_OPERATORS} are taken; use IN, or split it with WITH")
    if (selects := sum(token.word("select") for token in parts)) > MOST_SELECTS:
        raise BadInput(f"the SQL has {selects} selects, {MOST_SELECTS} are taken; split it into several phases")


def _operates(token: Token) -> bool:
    return token.kind == "symbol" and token.value not in ("(", ")", "[", "]", ",", ".")


def _check_call(name: Token, before: Token | None, after: Sequence[Token]) -> None:
    """What stands before ``(``: an operator, a word of the syntax, a function of the list, a new alias – or a refusal."""
    if name.kind == "symbol":
        if name.symbol(")", "]", "."):
            raise BadInput(f"{name.value}( is not taken; name a function, or put an operator between")
        return
    alias = before is not None and before.word("as", "with", "recursive") and _only_names(after)
    qualified = before is not None and before.symbol(".")
    known = name.kind == "word" and name.value in SYNTAX | FUNCTIONS | TABLE_FUNCTIONS
    if name.names and not qualified and (alias or known):
        return
    raise BadInput(
        f"function {name.value[:60]} is not available in SQL here; it computes over the given tables and reads no file, "
        "address or setting (columns of an alias are named after AS)",
        {"function": name.value[:60]},
    )


def _only_names(after: Sequence[Token]) -> bool:
    for token in after:
        if token.symbol(")"):
            return True
        if not token.names and not token.symbol(","):
            return False
    return False


def _in_function(parts: Sequence[Token], token: Token) -> bool:
    """Whether the parenthesis around ``token`` was opened by a function that is written with FROM."""
    opened: list[Token | None] = []
    for before, one in _with_before(parts):
        if one is token:
            return bool(opened) and opened[-1] is not None and opened[-1].word(*WITH_FROM)
        if one.symbol("("):
            opened.append(before)
        elif one.symbol(")") and opened:
            opened.pop()
    return False
