"""What a run came to: score, sameness, rows and checks, tables, and the tables and dashboards made from them further on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard.components.render import faint, render, section
from dashboard.data.source import asking, settings
from dashboard.views.access import audit_lines
from dashboard.views.determinism import badge
from dashboard.views.run import FOREMOST, foremost
from dashboard.views.run_history import dashboard_lines, executors_of, impacts, lease_lines
from dashboard.views.run_score import beside, score_lines
from dashboard.views.run_tables import ASIDE, aside_links, check_lines, commit_lines, row_lines
from ops.model import RunId
from ops.reads import Reads
from ops.run_reads import CommitRow, RunPages
from ops.views import PhaseRow, RunDetail

NO_ACTS = "Nothing that you may read: admins see what everybody did, others what they did themselves."


def score(run: RunDetail, phases: Sequence[PhaseRow]) -> None:
    """The score with its parts beside the last good run's, and whether the same was made from the same."""
    with asking() as connection:
        more = RunPages(connection)
        good, signals, twins = more.last_good(run.run_id), more.signals(run.run_id), more.twins(run.run_id)
    lines = score_lines(run, good, signals)
    parts = render("run_score", sentence=run.score_sentence, beside=beside(run, good), good=good, lines=lines)
    st.html(section("Score", parts) + section("Sameness", render("badge", badge=badge(run, phases, twins))))


def tables(run: RunDetail, phases: Sequence[PhaseRow], whole: bool) -> None:
    """Rows by phase, checks, commits, and what is made from them; of many only the latest, unless ``whole``."""
    with asking() as connection:
        more = RunPages(connection)
        commits = more.commits(run.run_id)
        if not run.status.terminal:
            phases = Reads(connection).phases(run.run_id)
        if not whole:
            commits, phases = commits[-FOREMOST:], foremost(phases)
        further = downstream(more, run.run_id, commits) if commits else ""
        aside = any(each.layer == ASIDE for each in commits)
        links = aside_links(run, commits, Reads(connection).phase_effects(run.run_id)) if aside else {}
    drawn = section("Rows", render("run_rows", lines=row_lines(run.spec, phases, commits, links)))
    if checks := check_lines(run.spec, phases, commits, links):
        drawn += section("Checks", render("run_checks", lines=checks))
    drawn += section("Tables", render("tables", lines=commit_lines(commits)))
    st.html(drawn + further)


def downstream(more: RunPages, run_id: RunId, commits: Sequence[CommitRow]) -> str:
    """Tables that are made from those that were written, and the dashboards that stand on any of them: as they are drawn."""
    wrote = {each.table for each in commits}
    further = more.downstream(run_id, sorted(wrote))
    boards = more.dashboards(run_id, sorted(wrote | {each.table for each in further}))
    drawn = render("impact", lines=impacts(further, commits, run_id))
    if boards:
        drawn += render(
            "dashboards", lines=dashboard_lines(boards, settings().superset_opened_at), now=datetime.now(UTC)
        )
    return section("Downstream", drawn)


def history(run_id: RunId) -> None:
    """Whose it was, what people did to it, and what repeats it."""
    now = datetime.now(UTC)
    with asking() as connection:
        more = RunPages(connection)
        lifecycle, acts, repeats = more.lifecycle(run_id), more.acts(run_id), more.repeats(run_id)
        names = more.executor_names(executors_of(lifecycle))
    drawn = section("Repeated by", render("repeats", rows=repeats, now=now)) if repeats else ""
    drawn += section("Leases", render("leases", lines=lease_lines(lifecycle, names)))
    drawn += section("Audit trail", render("audit", lines=audit_lines(acts, now)) if acts else faint(NO_ACTS))
    st.html(drawn)
