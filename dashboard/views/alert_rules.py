"""A rule as somebody fills it in, and what of it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from dashboard.views.alerts import rule_words
from ops.access_reads import MyProject
from ops.alerts import RuleRow

COMPARISONS = (">", ">=", "<", "<=")
AGGREGATES = ("last", "max", "min", "avg", "count", "share")
SEVERITIES = ("info", "warning", "critical")
GROUPS = ("pipeline", "project")
# What is asked beside signals that runs record.
STANDING = ("run_failed", "score", "freshness", "queue_age")
BLANK = RuleRow(
    "", "", "", "failed_checks", ">", 0.0, None, "last", timedelta(hours=1), 1, None, None, None, "pipeline", "warning", "",
    "pipelines", True, False, "",
)  # fmt: skip


def editable(mine: Sequence[MyProject]) -> list[MyProject]:
    """Projects whose rules the person may change: an editor of prod, whom they wake."""
    return [each for each in mine if each.roles.get("prod") in ("editor", "admin")]


def filled_in(row: RuleRow, given: Mapping[str, Any]) -> RuleRow:
    """The rule as the form has it: a text that says nothing is none at all, except a description."""
    texts = {"env", "pipeline", "dataset"}
    said: dict[str, Any] = {name: (value or None) if name in texts else value for name, value in given.items()}
    return replace(row, **said)


def changed(row: RuleRow, then: RuleRow, new: bool) -> dict[str, object]:
    """What ``ops.put_alert_rule`` is told: all of a new rule, of another what differs."""
    known = {"org", "project", "name", "built_in", "tag"}
    values = {each.name: getattr(then, each.name) for each in fields(then) if each.name not in known}
    return {
        name: f"{value.total_seconds():g} seconds" if isinstance(value, timedelta) else value
        for name, value in values.items()
        if new or value != getattr(row, name)
    }


def sentence(then: RuleRow) -> str:
    """What the rule would do, in words."""
    narrowed = ", ".join(each for each in (then.env, then.pipeline, then.dataset) if each)
    looks = f"Looks at {narrowed or 'everything of the project'} and fires, once for each {then.group_by}, when"
    clears = "" if then.clear_threshold is None else f"; closes at {then.clear_threshold:g}"
    return f"{looks} {rule_words(then)}{clears}.{'' if then.enabled else ' It is switched off.'}"
