"""SQL text as tokens, of a subset in which no two SQL lexers differ.

What is not in the subset is refused, not guessed: letters beyond ASCII outside quotes, escapes, dollar quotes, prefixed
literals, placeholders. :func:`render` writes the tokens down again, so the engine never sees a comment or a byte that was
not read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ops.errors import BadInput

LONGEST = 100_000
Kind = Literal["word", "quoted", "string", "number", "symbol", "pin"]

_SYMBOLS = (
    "<=>",
    "->>",
    "!~*",
    "::",
    "||",
    "<>",
    "!=",
    "<=",
    ">=",
    "==",
    "->",
    "//",
    "!~",
    "~*",
    "^@",
    *"()[],.;+-*/%=<>&|^~",
)
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+|--[^\n]*)
      | (?P<comment>/\*)
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<string>'(?:[^'\x00]|'')*')
      | (?P<quoted>"(?:[^"\x00]|"")+")
      | (?P<pin>@(?:v[0-9]{1,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}|"[0-9TZ:.+ -]{1,40}")(?![A-Za-z0-9_"']))
      | (?P<symbol>"""
    + "|".join(re.escape(one) for one in _SYMBOLS)
    + ")",
    re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Token:
    """One token. ``value`` is a word in lower case, a quoted name without its quotes, anything else as written.

    A pin is the version behind a table's name (``@v12``, ``@2026-11-01``, ``@"2026-11-01T10:00Z"``); it is ours, no engine's.

    Attributes:
        apart: whether blanks or a comment stand before it.
    """

    kind: Kind
    text: str
    value: str
    apart: bool

    def word(self, *words: str) -> bool:
        return self.kind == "word" and self.value in words

    def symbol(self, *symbols: str) -> bool:
        return self.kind == "symbol" and self.value in symbols

    @property
    def names(self) -> bool:
        """Whether it can be a name."""
        return self.kind in ("word", "quoted")


def tokens(sql: str) -> list[Token]:
    """The tokens of ``sql``, comments left out.

    Raises:
        BadInput: the text is too long, or holds something that is not in the subset.
    """
    if len(sql) > LONGEST:
        raise BadInput(f"the SQL has {len(sql)} characters; {LONGEST} are taken, split it")
    found: list[Token] = []
    at, apart = 0, True
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise _unread(sql, at)
        kind = match.lastgroup
        at = _comment_end(sql, at) if kind == "comment" else match.end()
        if kind in ("blank", "comment"):
            apart = True
            continue
        text = match.group()
        token = Token(kind, text, _value(kind, text), apart)  # type: ignore[arg-type]
        if found and not apart and _grown_together(found[-1], token):
            raise BadInput(
                f"{found[-1].text}{text[:20]} is no SQL that is taken here; put a blank between, or quote the name"
            )
        found.append(token)
        apart = False
    return found


def render(parts: Sequence[Token]) -> str:
    """The tokens as SQL: what was apart stays apart, and nothing else is written."""
    return "".join((" " if token.apart and number else "") + token.text for number, token in enumerate(parts))


def _value(kind: str | None, text: str) -> str:
    if kind == "word":
        return text.lower()
    if kind == "pin":
        return text[1:].strip('"')
    return text[1:-1].replace('""', '"') if kind == "quoted" else text


def _grown_together(before: Token, after: Token) -> bool:
    """``e'…'``, ``1abc``, ``'a'b``, ``"a""b"``: what these mean is a matter of dialect."""
    loose = ("word", "quoted", "string", "number")
    return before.kind in loose and after.kind in loose


def _comment_end(sql: str, at: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise BadInput("a comment is not closed; end it with */")


def _unread(sql: str, at: int) -> BadInput:
    character = sql[at]
    if character in "'\"":
        return BadInput(f"a quote at character {at + 1} is not closed, or nothing stands in it")
    return BadInput(
        f"{character!r} at character {at + 1} is not taken in SQL here; quote a name that needs it with double quotes"
    )
