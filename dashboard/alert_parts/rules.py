"""What fires: the rules, and the form by which an editor makes or changes one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import streamlit as st

from dashboard.actions.alerts import put_rule, remove_rule
from dashboard.components.render import faint, render
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.alert_rules import (
    AGGREGATES,
    BLANK,
    COMPARISONS,
    GROUPS,
    SEVERITIES,
    STANDING,
    changed,
    editable,
    filled_in,
    sentence,
)
from dashboard.views.alerts import rule_place, rule_words
from dashboard.views.filters import ANY
from ops.access_reads import Access, MyProject
from ops.alerts import Alerts, RuleRow
from ops.scores import Scores
from ops.tenancy import ENVS

ONLY_EDITORS = "This needs the role editor in prod; ask an admin of the project."


def rules() -> None:
    with asking() as connection:
        rows, mine = Alerts(connection).rules(), editable(Access(connection).my_roles())
        signals = [row.signal for row in Scores(connection).weights()]
    st.html(render("alert_rules", rows=[(row, rule_words(row), rule_place(row)) for row in rows]))
    places = {(each.org, each.project): each.project_id for each in mine}
    own = {f"{row.name}, {row.org}/{row.project}": row for row in rows if (row.org, row.project) in places}
    why = None if places else ONLY_EDITORS
    which, change, new = st.columns([4, 1, 1], vertical_alignment="bottom")
    name = which.selectbox("Rule", list(own), key="rule_of") if own else None
    if change.button("Change…", key="change_rule", disabled=name is None, help=why) and name is not None:
        row = own[name]
        form(row, places[row.org, row.project], signals)
    if new.button("New rule…", key="new_rule", disabled=not places, help=why):
        ask_new(mine, signals)
    if why:
        st.caption(why)


@st.dialog("New rule", width="medium")
def ask_new(mine: Sequence[MyProject], signals: Sequence[str]) -> None:
    place = st.selectbox("Project", mine, format_func=lambda each: f"{each.org}/{each.project}", key="rule_place")
    name = st.text_input("Name", key="rule_name").strip()
    if place is not None:
        fields(BLANK, place.project_id, name, signals, "new")


@st.dialog("Change a rule", width="medium")
def form(row: RuleRow, project_id: UUID, signals: Sequence[str]) -> None:
    st.write(f"{row.name}, {row.org}/{row.project}")
    fields(row, project_id, row.name, signals, f"{project_id}/{row.name}")
    if not row.built_in and st.button("Remove it and its alerts", key="remove_rule"):
        with refused():
            remove_rule(project_id, row.name)
            done(f"Rule {row.name} is removed.")


def fields(row: RuleRow, project_id: UUID, name: str, signals: Sequence[str], of: str) -> None:
    """All but the name, what that makes of it, and the button. ``of`` keeps what is typed for one rule from another."""
    new = row is BLANK
    then = filled_in(row, {**when(row, signals, of), **what(row, of)})
    st.html(faint(sentence(then)))
    said = changed(row, then, new)
    if st.button("Save", type="primary", key="save_rule", disabled=not said or not name):
        with refused():
            put_rule(project_id, name, said)
            done(f"Rule {name} is {'made' if new else 'changed'}.")


def when(row: RuleRow, signals: Sequence[str], of: str) -> dict[str, Any]:
    """What is asked, and what is too much."""
    known = list(dict.fromkeys([row.signal, *STANDING, *signals]))
    first, second, third = st.columns([3, 1, 2])
    fourth, fifth, sixth = st.columns([2, 2, 2])
    return {
        "signal": first.selectbox("Signal", known, 0, accept_new_options=True, key=f"signal/{of}"),
        "comparison": second.selectbox("Is", COMPARISONS, COMPARISONS.index(row.comparison), key=f"is/{of}"),
        "threshold": third.number_input("Than", value=row.threshold, key=f"than/{of}"),
        "clear_threshold": fourth.number_input("Closes at", value=row.clear_threshold, key=f"clear/{of}"),
        "aggregate": fifth.selectbox("Of values", AGGREGATES, AGGREGATES.index(row.aggregate), key=f"aggregate/{of}"),
        "within": timedelta(
            minutes=sixth.number_input(
                "Over the last minutes", 0.1, 525_600.0, row.within.total_seconds() / 60, key=f"within/{of}"
            )
        ),
        "consecutive": int(st.number_input("Times in a row", 1, 100, row.consecutive, key=f"times/{of}")),
    }


def what(row: RuleRow, of: str) -> dict[str, Any]:
    """Of what it is asked, how bad that is, and whom the routing matrix then asks."""
    envs = [ANY, *ENVS]
    first, second, third = st.columns(3)
    fourth, fifth, sixth = st.columns(3)
    env = first.selectbox("Environment", envs, envs.index(row.env or ANY), key=f"env/{of}")
    return {
        "env": "" if env == ANY else env,
        "pipeline": second.text_input("Pipeline", row.pipeline or "", placeholder="any", key=f"pipeline/{of}").strip(),
        "dataset": third.text_input("Table", row.dataset or "", placeholder="any", key=f"dataset/{of}").strip(),
        "group_by": fourth.selectbox("An alert for each", GROUPS, GROUPS.index(row.group_by), key=f"group/{of}"),
        "severity": fifth.selectbox("Severity", SEVERITIES, SEVERITIES.index(row.severity), key=f"severity/{of}"),
        "area": sixth.text_input("Area of the matrix", row.area, key=f"area/{of}").strip(),
        "description": st.text_input("What it means", row.description, key=f"description/{of}").strip(),
        "enabled": st.toggle("On", row.enabled, key=f"on/{of}"),
    }
