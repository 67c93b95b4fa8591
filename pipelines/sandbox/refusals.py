"""What the embedded engine does not take, in words of ours, with what to write in its place."""

from __future__ import annotations

import re

_WAYS = (
    ("window frame", "use ROWS, or join the rows that belong together and group them"),
    ("expression Tuple", "compare column by column: exists (select 1 from … where a = b and c = d)"),
    ("expression SimilarTo", "use LIKE, or regexp_like(text, pattern)"),
    ("expression Overlay", "put it together with left, substring and ||"),
    ("EXISTS subquery", "join what the subquery groups, or use IN over it"),
    ("ESCAPE char", "use strpos, starts_with or regexp_like"),
    ("LIKE ANY", "put OR between several LIKE"),
    ("PERCENT", "use LIMIT with a number of rows"),
    ("RESPECT NULLS", "leave the nulls out in a WITH before"),
    ("fixed-duration interval", "add it to a date: day + interval '1 month'"),
    (
        "no table or struct column",
        "a subquery in FROM cannot name what stands beside it; join, or use it in SELECT or WHERE",
    ),
)
_TREE = re.compile(r"\b(expression \w+|position: \w+)\s*[({].*?(?=( is not| are not|$))", re.DOTALL)
_OTHERWISE = "write it in another way: docs/sql-sandbox.md has what this engine does not take"


def refusal(said: str) -> str:
    """The engine's line without its syntax tree, and the way out; none for what is a slip of the pen."""
    short = _TREE.sub(r"\1", said)[:200]
    way = next((way for words, way in _WAYS if words in said), _OTHERWISE if "support" in said else "")
    return f"{short}; {way}" if way else short
