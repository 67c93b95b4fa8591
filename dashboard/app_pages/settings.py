"""Settings: members, own tokens, projects and roles, names of secrets, promotions, the audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from dashboard.actions.access import add_member, create_token, remove_member, revoke_token
from dashboard.components.paging import begin, place, turn
from dashboard.components.parts import show
from dashboard.components.render import render
from dashboard.components.said import done, refused
from dashboard.data.source import asking
from dashboard.views.access import (
    AGES,
    address_of,
    audit_lines,
    is_good,
    member_label,
    member_place,
    position,
    role_lines,
    token_lines,
)
from dashboard.views.pipelines import pipeline_link
from ops.access_reads import Access, AuditFilter, MyProject, Place
from ops.tenancy import ENVS, MemberRow, Tenancy

ROLES = ("viewer", "operator", "editor", "admin")
ONLY_ADMINS = "Members are changed by the admins of an org or project; ask one of them."
PAGE_ROWS = 50
PLACE = "before"
newest = partial(begin, PLACE)


def members() -> None:
    with asking() as connection:
        rows, places = Tenancy(connection).members(), Access(connection).administered()
    st.html(render("members", rows=[(row, member_place(row)) for row in rows], now=datetime.now(UTC)))
    if not places:
        st.caption(f"You see your own memberships. {ONLY_ADMINS}")
    add, remove, _ = st.columns([1, 1, 6])
    if add.button("Add or change…", key="add", disabled=not places, help=None if places else ONLY_ADMINS):
        ask_member(places)
    if remove.button("Remove…", key="remove", disabled=not places, help=None if places else ONLY_ADMINS):
        ask_removal(rows)


@st.dialog("Add or change a member")
def ask_member(places: list[Place]) -> None:
    place = st.selectbox("Where", places, format_func=lambda each: f"{each}{'' if each.project else ' (all projects)'}")
    subject = st.text_input("Who", placeholder="name of the account, or the sub claim", key="member")
    role = st.selectbox("Role", ROLES, key="role") or "viewer"
    envs = st.multiselect("Environments", ENVS, default=ENVS, key="envs")
    if st.button("Save", type="primary", key="save_member") and place is not None:
        with refused():
            add_member(place.org, place.project, subject.strip(), role, envs)
            done(f"{subject.strip()} is {role} of {place}.")


@st.dialog("Remove a member")
def ask_removal(rows: list[MemberRow]) -> None:
    row = st.selectbox("Who", rows, format_func=member_label, key="removed")
    if row is None:
        return
    st.write(
        f"What {row.subject} may do in {member_place(row)} ends with their next click. Runs that they started go on."
    )
    if st.button("Remove", type="primary", key="do_remove"):
        with refused():
            remove_member(row.org, row.project, row.subject)
            done(f"{row.subject} is no member of {member_place(row)} any more.")


def tokens() -> None:
    now = datetime.now(UTC)
    with asking() as connection:
        rows, mine = Tenancy(connection).access_tokens(), Access(connection).my_roles()
    st.caption("For the command line and CI. A token can do what it says and never more than you may at that moment.")
    st.html(render("tokens", lines=token_lines(rows, now)))
    names = [row.name for row in rows if is_good(row, now)]
    make, revoke, _ = st.columns([1, 1, 6])
    if make.button("Make one…", key="make"):
        ask_token(mine)
    if revoke.button("Revoke…", key="revoke", disabled=not names, help=None if names else "None of yours is good."):
        ask_revocation(names)


@st.dialog("A new token", on_dismiss="rerun")
def ask_token(mine: list[MyProject]) -> None:
    name = st.text_input("Name", placeholder="what it is for", key="token_name")
    role = st.selectbox("May at most what a … may", ROLES, key="token_role") or "viewer"
    project = st.selectbox(
        "In", [None, *mine], format_func=lambda each: f"{each.org}/{each.project}" if each else "all your projects"
    )
    envs = st.multiselect("Environments", ENVS, default=ENVS, key="token_envs")
    days = st.number_input("Good for days", 1, 366, 30, key="token_days")
    if st.button("Make", type="primary", key="do_make"):
        with refused():
            text = create_token(name.strip(), role, project.project_id if project else None, envs, int(days))
            st.success("Copy it now: it is shown this once and kept nowhere.")
            st.code(text, None)


@st.dialog("Revoke a token")
def ask_revocation(names: list[str]) -> None:
    name = st.selectbox("Which", names, key="revoked")
    st.write("Whatever uses it is refused from its next request on.")
    if st.button("Revoke", type="primary", key="do_revoke") and name is not None:
        with refused():
            revoke_token(name)
            done(f"{name} is revoked.")


def projects() -> None:
    with asking() as connection:
        rows = Access(connection).my_roles()
    st.html(render("projects", lines=role_lines(rows, datetime.now(UTC))))
    st.caption("An admin of the org makes another one with `controlroom project create ORG/PROJECT`.")


def secrets() -> None:
    with asking() as connection:
        rows = Tenancy(connection).secret_grants()
    st.caption(
        "What runs of a project may resolve, by name; values are never shown. You see those of projects that you edit."
    )
    st.html(render("secrets", rows=rows, now=datetime.now(UTC)))


def promotions() -> None:
    with asking() as connection:
        rows = Access(connection).promotions()
    lines = [(row, pipeline_link(row.org, row.project, row.pipeline)) for row in rows]
    st.html(render("promotion_log", rows=lines, now=datetime.now(UTC)))


def audit() -> None:
    with asking() as connection:
        mine, places = Access(connection).my_roles(), Access(connection).administered()
    ids = {f"{row.org}/{row.project}": row.project_id for row in mine}
    orgs = [str(place) for place in places if place.project is None]
    if not ids and not orgs:
        st.caption("You belong to no project whose log there is to read.")
        return
    if not places:
        st.caption("You see what you did yourself; the whole log is for the admins of a project.")
    where, who, what, age = st.columns([2, 2, 2, 1])
    within = where.selectbox("Where", [*ids, *orgs], key="where", bind="query-params", on_change=newest)
    since = age.selectbox("When", list(AGES), 1, key="age", bind="query-params", on_change=newest) or "last week"
    wanted = AuditFilter(
        datetime.now(UTC) - AGES[since],
        (who.text_input("Who", key="who", bind="query-params", on_change=newest) or "").strip(),
        (what.text_input("What", key="what", placeholder="such as memberships", bind="query-params", on_change=newest)
         or "").strip().lower(),
    )  # fmt: skip
    of = (within, since, wanted.who, wanted.what)
    before = position(place(PLACE, of))
    with asking() as connection:
        reading = Access(connection)
        if within in ids:
            rows = reading.audit(ids[within], wanted, before, PAGE_ROWS + 1)
        else:
            rows = reading.audit_of_org(str(within), wanted, before, PAGE_ROWS + 1)
    st.html(render("audit", lines=audit_lines(rows[:PAGE_ROWS], datetime.now(UTC))))
    turn(PLACE, of, address_of(rows[PAGE_ROWS - 1]) if len(rows) > PAGE_ROWS else None)


PARTS = {
    "Members": members,
    "My tokens": tokens,
    "Projects": projects,
    "Secrets": secrets,
    "Promotions": promotions,
    "Audit log": audit,
}

st.title("Settings")
show(PARTS)
