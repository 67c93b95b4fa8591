"""What may be done with a run and why not, what that would do, and what verifications of it found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dashboard.components.render import render
from dashboard.views.run_actions import EVERY_PHASE, acts, chosen_rerun, first_choice, rerun_lines
from dashboard.views.verification import finding_lines, verified
from ops.backfills import PhaseAgain
from ops.model import RunStatus, Trigger
from ops.verification import VerificationRow
from tests.dashboard.test_run_views import OTHER, QUEUED
from tests.dashboard.test_views import DONE, ENDED, NOW, PHASE, RUN


def test_each_act_says_why_it_cannot_be_done() -> None:
    failed, succeeded = (replace(ENDED, status=status) for status in (RunStatus.FAILED, RunStatus.SUCCEEDED))
    why = {
        (run.status, allowed): {act.name: act.why_not for act in acts(run, allowed, True)}
        for run in (QUEUED, RUN, failed, succeeded)
        for allowed in (True, False)
    }
    needs = "It needs the role operator here."
    assert why[RunStatus.QUEUED, True] == {
        "cancel": "", "retry": "It has not ended.", "again": "It has not ended.", "replay": "It has not ended.",
        "backfill": "", "verify": "Only a run that succeeded can be verified.",
    }  # fmt: skip
    assert why[RunStatus.RUNNING, False]["cancel"] == needs
    assert why[RunStatus.FAILED, True]["cancel"] == "It has ended."
    assert {why[RunStatus.FAILED, False][name] for name in ("retry", "again", "replay", "backfill")} == {needs}
    assert why[RunStatus.SUCCEEDED, True]["retry"].startswith("It succeeded: there is nothing to do again.")
    assert {why[RunStatus.SUCCEEDED, True][name] for name in ("again", "replay", "backfill", "verify")} == {""}
    assert acts(replace(RUN, cancel_requested=True), True, True)[0].why_not == "It was asked to stop already."
    # A question is canceled by who asked it, and nothing else is done with it by them.
    asked = [act.name for act in acts(QUEUED, False, False, asked=True) if not act.why_not]
    assert asked == ["cancel"]
    # Nor is what was asked made a run of its own, by anybody.
    for trigger, said in ((Trigger.QUERY, "ask it again under SQL"), (Trigger.VERIFY, "verify that one again")):
        derived = {act.name: act.why_not for act in acts(replace(succeeded, trigger=trigger), True, True)}
        assert derived.pop("cancel") == "It has ended."
        assert [said in why for why in derived.values()] == [True] * 5
    assert [act.name for act in acts(replace(QUEUED, trigger=Trigger.VERIFY), True, True) if not act.why_not] == [
        "cancel"
    ]
    unpartitioned = {act.name: act for act in acts(failed, True, False)}
    assert "names no partition" in unpartitioned["backfill"].why_not
    assert unpartitioned["cancel"].command.startswith("controlroom run cancel")


def test_what_is_known_of_a_run_by_its_newest_verification() -> None:
    assert verified(None, NOW) is None
    row = VerificationRow(OTHER, RunStatus.SUCCEEDED, NOW - timedelta(hours=2), NOW - timedelta(minutes=5), None, None)
    said = {
        status: verified(replace(row, status=status, error_code=code, error_message="phase tidy gave b for a"), NOW)
        for status, code in (
            (RunStatus.SUCCEEDED, None),
            (RunStatus.FAILED, "NOT_REPRODUCED"),
            (RunStatus.CANCELED, None),
            (RunStatus.RUNNING, None),
        )
    }
    assert {status: (one.tone, one.word) for status, one in said.items() if one} == {
        RunStatus.SUCCEEDED: ("good", "verified"),
        RunStatus.FAILED: ("bad", "not reproduced"),
        RunStatus.CANCELED: ("waits", "not verified"),
        RunStatus.RUNNING: ("busy", "being verified"),
    }
    differs = said[RunStatus.FAILED]
    assert differs is not None
    assert differs.said == "5 min ago: phase tidy gave b for a"
    # What it could not look at is not what differs.
    broken = verified(replace(row, status=RunStatus.FAILED, error_code="NOT_ALLOWED", error_message="not shared"), NOW)
    assert broken is not None
    assert (broken.word, broken.said) == (
        "not verified", "The verification of 5 min ago came to no end: not shared (NOT_ALLOWED)",
    )  # fmt: skip


def test_comparisons_are_those_of_the_success_or_of_the_difference() -> None:
    found = [{"what": "phase tidy", "ok": True, "expected": "a", "seen": "a"}]
    differs = [{"what": "phase tidy", "ok": False, "expected": "a", "seen": "b<"}]
    one = replace(DONE, metrics={"verification": {"run": "r", "compared": 61, "findings": found}})
    other = replace(DONE, metrics={}, error_data={"run": "r", "compared": 7, "findings": differs})
    assert finding_lines([PHASE]) == ([], 0)
    [line], more = finding_lines([one])
    assert (line.what, line.state, line.tone, more) == ("phase tidy", "the same", "good", 60)
    [line], more = finding_lines([other])
    assert (line.state, line.tone, line.seen, more) == ("differs", "bad", "b<", 6)
    drawn = render("findings", lines=[line], more=more, differ=True)
    assert "b&lt;" in drawn
    assert "And 6 more, which are the same." in drawn


def test_a_rerun_is_told_phase_by_phase_as_the_database_plans_it() -> None:
    plan = [
        PhaseAgain(1, "land", "ingest", False, "succeeded before"),
        PhaseAgain(2, "tidy", "transform", True, "named"),
    ]
    assert rerun_lines(plan) == ("Carried out: tidy.", "Taken over, because they succeeded: land.")
    assert rerun_lines(plan[:1])[0] == "No phase is left to carry out; it releases what is there."
    phases = [DONE, replace(PHASE, name="tidy")]
    assert (first_choice(phases), first_choice(phases[:1])) == (1, 0)
    assert chosen_rerun(OTHER, "tidy", False) == ("retry", "tidy", f"controlroom run retry {OTHER} --from-phase tidy")
    assert chosen_rerun(OTHER, EVERY_PHASE, True) == ("latest", None, f"controlroom run retry {OTHER} --latest")
