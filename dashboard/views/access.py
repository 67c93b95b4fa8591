"""Members, tokens, own roles and the audit log as lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dashboard.views.words import ago, exact, span
from ops.access_reads import AuditEntry, MyProject, Position
from ops.tenancy import ENVS, MemberRow, TokenRow

LONGEST = 60
ACTING = ("operator", "editor", "admin")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Of a row that was made or removed: what it is known by, and not when or under which number.
DULL = frozenset({"id", "org_id", "project_id", "created_at"})
AGES: Mapping[str, timedelta] = {
    "last day": timedelta(days=1),
    "last week": timedelta(days=7),
    "last 30 days": timedelta(days=30),
    "last year": timedelta(days=365),
}


@dataclass(frozen=True)
class TokenLine:
    """Each of ``state``, ``made`` and ``used`` has its exact moment behind it."""

    name: str
    state: str
    tone: str
    role: str
    where: str
    envs: str
    made: str
    used: str
    state_exact: str
    made_exact: str
    used_exact: str


@dataclass(frozen=True)
class RoleLine:
    where: str
    project_id: str
    roles: str
    since: str
    exact: str


@dataclass(frozen=True)
class AuditLine:
    at: str
    exact: str
    who: str
    by_token: bool
    action: str
    target: str
    run_id: str
    facts: tuple[str, ...]
    origin: str


def acts_in(mine: Sequence[MyProject], org: str, project: str, env: str) -> bool:
    """Whether the person is at least an operator there."""
    return any((each.org, each.project) == (org, project) and each.roles.get(env) in ACTING for each in mine)


def member_label(row: MemberRow) -> str:
    """A member as a choice: who, where, what."""
    return f"{row.subject}, {row.role} of {member_place(row)}"


def member_place(row: MemberRow) -> str:
    return f"{row.org}/{row.project}" if row.project else f"{row.org} (all projects)"


def token_lines(rows: Sequence[TokenRow], now: datetime) -> list[TokenLine]:
    """Those that are good first."""
    lines = [_token(row, now) for row in rows]
    return sorted(lines, key=lambda line: line.tone != "good")


def is_good(row: TokenRow, now: datetime) -> bool:
    return row.revoked_at is None and row.expires_at > now


def _token(row: TokenRow, now: datetime) -> TokenLine:
    if row.revoked_at is not None:
        state, tone = f"revoked {ago(row.revoked_at, now)}", "quiet"
    elif row.expires_at <= now:
        state, tone = f"expired {ago(row.expires_at, now)}", "quiet"
    else:
        state, tone = f"good for {span(row.expires_at - now)}", "good"
    where = f"{row.org}/{row.project}" if row.project else "all your projects"
    used = ago(row.last_used_at, now) if row.last_used_at else "never"
    return TokenLine(
        row.name, state, tone, row.role, where, ", ".join(row.envs), ago(row.created_at, now), used,
        exact(row.revoked_at or row.expires_at), exact(row.created_at), exact(row.last_used_at) if row.last_used_at else "",
    )  # fmt: skip


def role_lines(rows: Sequence[MyProject], now: datetime) -> list[RoleLine]:
    return [
        RoleLine(
            f"{row.org}/{row.project}", str(row.project_id), role_words(row.roles), ago(row.created_at, now),
            exact(row.created_at),
        )
        for row in rows
    ]  # fmt: skip


def role_words(roles: Mapping[str, str]) -> str:
    """``admin`` where it is the same everywhere, else ``editor in dev, viewer in prod``."""
    if set(roles) == set(ENVS) and len(set(roles.values())) == 1:
        return next(iter(roles.values()))
    return ", ".join(f"{roles[env]} in {env}" for env in ENVS if env in roles)


def audit_lines(rows: Sequence[AuditEntry], now: datetime) -> list[AuditLine]:
    return [
        AuditLine(
            ago(row.at, now),
            exact(row.at),
            row.subject or "the installation",
            row.access_token_id is not None,
            row.action,
            row.target[-12:] if _UUID.fullmatch(row.target) else row.target,
            row.target if row.action.startswith("runs.") else "",
            tuple(changed(row.before, row.after)),
            str(row.origin.get("forwarded_for") or row.origin.get("address") or row.origin.get("application") or ""),
        )
        for row in rows
    ]


def changed(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> list[str]:
    """``role: viewer → admin`` for what a change changed; name and value of what was made or removed."""
    if before is None or after is None:
        whole = after or before or {}
        return [f"{name}: {_short(value)}" for name, value in whole.items() if name not in DULL and _says(value)]
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [f"{name}: {_short(before.get(name))} → {_short(after.get(name))}" for name in names]


def _says(value: object) -> bool:
    return value not in (None, "", [], {})


def _short(value: object) -> str:
    text = "nothing" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def position(text: str | None) -> Position | None:
    """Where an address says that the page of the log begins; None for the newest, and for what is no place."""
    at, _, entry = (text or "").partition("_")
    try:
        return datetime.fromisoformat(at), UUID(entry)
    except ValueError:
        return None


def address_of(entry: AuditEntry) -> str:
    """The same as it stands in an address."""
    return f"{entry.at.isoformat()}_{entry.id}"
