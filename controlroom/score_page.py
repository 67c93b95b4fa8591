"""A score as a person reads it, and weights as a person writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import typer

from controlroom.output import show, show_json
from ops.errors import BadInput
from ops.scores import Score


def print_score(score: Score, as_json: bool) -> None:
    """Prints the sentence and the parts."""
    if as_json:
        show_json(score)
        return
    typer.echo(f"{score.sentence}\n")
    columns = ["signal", "value", "points", "possible", "said"]
    show([{**vars(part), "value": f"{part.value:g}"} for part in score.parts], columns, False)


def weighed(words: Iterable[str]) -> dict[str, float]:
    """``["retries=30"]`` as ``{"retries": 30.0}``.

    Raises:
        BadInput: one of them is no signal and number.
    """
    weights: dict[str, float] = {}
    for word in words:
        signal, _, number = word.partition("=")
        try:
            weights[signal] = float(number)
        except ValueError:
            raise BadInput(f"{word!r} is no weight; write SIGNAL=NUMBER, such as retries=30") from None
        if not signal or not math.isfinite(weights[signal]):
            raise BadInput(f"{word!r} is no weight; write SIGNAL=NUMBER, such as retries=30")
    return weights
