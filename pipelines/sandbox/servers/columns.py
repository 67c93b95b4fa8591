"""Names of an answer's columns, whichever server gave it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ops.errors import BadInput


def check_names(names: Sequence[str]) -> None:
    """Raises BadInput where two are the same, or there is none."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise BadInput(f"several columns are called {twice[0]}; name each with AS")
    if not names:
        raise BadInput("the query has no column; name what it shall give")
