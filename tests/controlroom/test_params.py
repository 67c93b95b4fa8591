"""Parameters typed by a person become what the spec asks for, or are refused whole."""

from __future__ import annotations

import pytest

from ops.errors import BadInput
from pipelines.params import bound
from pipelines.spec_source import parse

PIPELINE = parse("""\
version: 1
pipeline: ages
owner: "@data-owners"
params:
  oldest: {type: integer, default: 90}
  share: {type: number, default: 0.5}
  deep: {type: boolean, default: false}
  day: {type: date}
  side: {type: choice, choices: [left, right], default: left}
phases:
  - {name: count, kind: query, inputs: {people: silver.people}, sql: select count(*) as n from people}
""")


def test_texts_become_typed_and_the_others_take_their_defaults() -> None:
    given = {"oldest": "7", "deep": "yes", "day": "2026-02-28"}
    assert bound(PIPELINE, given) == {"oldest": 7, "share": 0.5, "deep": True, "day": "2026-02-28", "side": "left"}


def test_every_fault_is_said_at_once() -> None:
    given = {"oldest": "old", "deep": "maybe", "day": "2026-02-30", "side": "up", "shape": "round"}
    with pytest.raises(BadInput) as refused:
        bound(PIPELINE, given)
    faults = refused.value.data["faults"]
    assert isinstance(faults, list)
    assert len(faults) == 5
    assert "parameter side: 'up' is no choice; choose one of left, right" in faults


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(BadInput, match="parameter day \\(date\\) has no default; give day=…"):
        bound(PIPELINE, {})
