"""What starts a pipeline by itself: when next, what became of the last times; operators pause, resume and start it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.actions.pipelines import fire_schedule, pause_schedule, resume_schedule
from dashboard.components.gate import refreshed
from dashboard.components.render import faint, render, section
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.schedules import name_of, schedule_line, tick_lines
from ops.pipeline_reads import PipelineDetail, Pipelines
from ops.schedules import ScheduleRow, Schedules

TICKS = 50
# With buttons of its own on the page; who has more schedules of one pipeline finds them by the command line.
STEERED = 6
OPENED = "schedule_opened"


def schedules(detail: PipelineDetail) -> None:
    with asking() as connection:
        mine = Pipelines(connection).my_envs(detail.project_id, "operator")
    st.html(section("What starts it"))
    # A dialog cannot be opened from a fragment that draws itself: the page does it.
    if opened := st.session_state.pop(OPENED, None):
        what, row = opened
        {"pause": ask_pause, "resume": ask_resume, "fire": ask_fire, "ticks": show_ticks}[what](row)
    listing(detail, mine)


@refreshed(5)
def listing(detail: PipelineDetail, mine: Sequence[str]) -> None:
    now = datetime.now(UTC)
    with asking() as connection:
        rows = [each for each in Schedules(connection).schedules(detail.project_id) if each.pipeline == detail.slug]
    st.html(render("schedules", lines=[schedule_line(row, now) for row in rows]))
    for row in rows[:STEERED]:
        steer(row, row.env in mine, len(rows) > 1)
    if len(rows) > STEERED:
        st.caption("The others are paused, resumed and started by `controlroom schedule`.")


def steer(row: ScheduleRow, able: bool, several: bool) -> None:
    why = None if able else f"This needs the role operator in {row.env}; ask an admin of the project."
    with st.container(horizontal=True, vertical_alignment="center"):
        if several:
            st.html(faint(name_of(row)), width="content")
        acts = ("Resume…", "resume") if row.paused else ("Pause…", "pause")
        for label, what in (acts, ("Start now…", "fire")):
            if st.button(label, key=f"{what}_{row.id}", disabled=not able, help=why):
                opened(what, row)
        if st.button("Past times…", key=f"ticks_{row.id}"):
            opened("ticks", row)


def opened(what: str, row: ScheduleRow) -> None:
    st.session_state[OPENED] = (what, row)
    st.rerun()


@st.dialog("Pause a schedule")
def ask_pause(row: ScheduleRow) -> None:
    st.write(f"{name_of(row)} starts nothing until somebody resumes it. Runs that it has started go on.")
    reason = st.text_input("Why", key="pause_why", placeholder="kept with it")
    if st.button("Pause", type="primary", key="do_pause_schedule"):
        with refused():
            pause_schedule(row.id, reason.strip())
            done(f"{name_of(row)} is paused.")


@st.dialog("Resume a schedule")
def ask_resume(row: ScheduleRow) -> None:
    st.write(f"{name_of(row)} starts {row.pipeline} again from its next time on.")
    late = st.toggle(
        "Make up for what was due in the pause",
        key="resume_late",
        help=f"As its misfire policy says: {row.misfire}. Without it what was due is noted as skipped.",
    )
    if st.button("Resume", type="primary", key="do_resume_schedule"):
        with refused():
            resume_schedule(row.id, bool(late))
            done(f"{name_of(row)} is resumed.")


@st.dialog("Start now")
def ask_fire(row: ScheduleRow) -> None:
    st.write(
        f"A run of {row.pipeline} in {row.env} is queued with the schedule's parameters, "
        f"{'though it is paused' if row.paused else 'besides its own times'}."
    )
    if st.button("Start run", type="primary", key="do_fire_schedule"):
        with refused():
            run_id = fire_schedule(row.id)
            st.switch_page("app_pages/run.py", query_params={"id": str(run_id)})


@st.dialog("Past times", width="large")
def show_ticks(row: ScheduleRow) -> None:
    with asking() as connection:
        rows = Schedules(connection).ticks(row.id, TICKS)
    st.html(render("ticks", lines=tick_lines(rows)))
    if len(rows) == TICKS:
        st.caption(
            f"The last {TICKS}. More of them: `controlroom schedule history {row.slug} --env {row.env} --limit …`."
        )
