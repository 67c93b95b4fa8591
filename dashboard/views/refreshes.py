"""Refreshes as lines: what each has built beside what readers had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.views.words import ago, count, exact
from ops.model import RefreshAsked
from ops.refreshes import Refresh, differences

TONES: Mapping[str, str] = {
    "building": "busy", "built": "waits", "failed": "bad", "canceled": "stopped", "swapped": "good", "rolled back": "quiet",
}  # fmt: skip


@dataclass(frozen=True)
class RefreshLine:
    """``decidable`` is what somebody may do about it now: swap, roll back or nothing; ``exact`` are the
    moments behind ``said``."""

    short_id: str
    run_id: str
    state: str
    tone: str
    env: str
    said: str
    exact: str
    note: str
    decidable: str


@dataclass(frozen=True)
class DifferenceLine:
    table: str
    what: str
    before: str
    after: str
    tone: str


def refresh_line(row: Refresh, now: datetime) -> RefreshLine:
    """A refresh, who did what about it and when, and what it waits for."""
    said = [f"started {ago(row.started_at, now)} by {row.started_by or 'the installation'}"]
    if row.swapped_at:
        said.append(f"swapped in {ago(row.swapped_at, now)} by {row.swapped_by or 'its tolerance'}")
    if row.rolled_back_at:
        said.append(f"rolled back {ago(row.rolled_back_at, now)} by {row.rolled_back_by or 'the installation'}")
    if row.state == "built":
        said.append("waits for somebody to swap it in")
    if row.tolerance is not None and row.state in ("building", "built"):
        within = ", ".join(f"{name} {share:.2%}" for name, share in row.tolerance.items())
        said.append(f"swaps itself in within {within}")
    moments = {"started": row.started_at, "swapped in": row.swapped_at, "rolled back": row.rolled_back_at}
    decidable = {"built": "swap", "swapped": "roll back"}.get(row.state, "")
    return RefreshLine(
        str(row.refresh_id)[-12:], str(row.run_id), row.state, TONES[row.state], row.env, "; ".join(said),
        "; ".join(f"{what} {exact(at)}" for what, at in moments.items() if at), row.note, decidable,
    )  # fmt: skip


def order_lines(env: str, version: int, wanted: RefreshAsked, within: Mapping[str, float] | None) -> list[str]:
    """What a refresh would do, before it is started."""
    phases = [phase.name for phase in wanted.phases]
    params = ", ".join(f"{name} = {value}" for name, value in wanted.params.items())
    said = [
        f"Version {version}, as {env} runs it: {count(len(phases), 'phase')} ({', '.join(phases)}).",
        *([f"Parameters: {params}."] if params else []),
        "All its tables are built whole, beside what readers have, and compared with it.",
    ]
    if within is None:
        return [*said, "It then waits here until somebody swaps it in."]
    shares = " and ".join(f"{name} by at most {100 * share:.4g} %" for name, share in sorted(within.items()))
    return [*said, f"It swaps itself in where columns are the same and {shares} differ; otherwise it waits here."]


def difference_lines(comparisons: Sequence[Mapping[str, object]]) -> list[DifferenceLine]:
    """One line a thing that was compared, those that differ marked."""
    return [
        DifferenceLine(
            str(each["table"]), str(each["what"]), _text(each.get("before")), _text(each.get("after")), _tone(each)
        )
        for each in differences(comparisons)
    ]


def _tone(line: Mapping[str, object]) -> str:
    what, before, after = str(line["what"]), line.get("before"), line.get("after")
    if what == "version":
        return "quiet"
    if what == "changed columns":
        return "good" if after == "none" else "waits"
    if what.startswith("rows ") or what.endswith(" columns"):
        return "waits" if after else "good"
    return "good" if before == after else "waits"


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
