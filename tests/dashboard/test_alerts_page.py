"""Alerts: what is told of them, first without a page, then in a browser, by who may act on them and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from dashboard.views.access import acts_in, position
from dashboard.views.alert_rules import BLANK, changed, editable, filled_in, sentence
from dashboard.views.alerts import (
    DELIVERIES,
    alert_line,
    alert_tiles,
    escalation_words,
    left_out,
    message_lines,
    message_place,
    route_match,
    rule_words,
    silence_words,
)
from dashboard.views.filters import id_named
from ops.access_reads import MyProject
from ops.alerts import AlertCounts, AlertRow, Alerts, MessageRow, RouteRow, RuleRow, SilenceRow
from ops.database import LOCAL_OPERATOR
from ops.tenancy import Tenancy
from tests.dashboard.conftest import Served, Watched
from tests.dashboard.people import as_role
from tests.dashboard.test_views import NOW

ALERT = AlertRow(
    UUID(int=1), "acme", "books", "prod", "run failed", "orders", "open", "critical", "orders failed", "nulls", 1.0, None,
    NOW - timedelta(minutes=5), None, None, None, 0, NOW + timedelta(minutes=25),
)  # fmt: skip
TAKEN = replace(ALERT, state="acknowledged", acknowledged_at=NOW - timedelta(minutes=1), acknowledged_by="ada")
MESSAGE = MessageRow(
    UUID(int=5), None, None, "opened", "pager", "failed", "critical", "t", 3, NOW - timedelta(hours=2), NOW, None, "500", 0
)  # fmt: skip
MINE = MyProject("acme", "books", UUID(int=3), NOW, {"dev": "admin", "prod": "viewer"})


def test_an_alert_says_who_sees_to_it_and_who_is_asked_next() -> None:
    over = replace(TAKEN, state="resolved", resolved_at=NOW)
    lines = [alert_line(each, NOW) for each in (ALERT, TAKEN, over, replace(ALERT, escalates_at=NOW))]
    assert [(line.state, line.next, line.tone) for line in lines] == [
        ("nobody sees to it", "the next owner is asked in 25 min", "bad"),
        ("seen to by ada, 1 min ago", "", "bad"),
        ("resolved now", "", "quiet"),
        ("nobody sees to it", "the next owner is being asked", "bad"),
    ]
    assert [line.state_exact for line in lines] == ["", "2026-03-01 11:59:00 UTC", "2026-03-01 12:00:00 UTC", ""]


def test_a_muted_alert_says_until_when_and_that_nobody_further_is_asked_till_then() -> None:
    muted = replace(ALERT, muted_until=NOW + timedelta(hours=1))
    line = alert_line(muted, NOW)
    assert (line.state, line.muted) == ("nobody sees to it", "muted until 2026-03-01 13:00 UTC")
    assert (line.tone, line.next) == ("quiet", "")
    assert alert_line(ALERT, NOW).muted == ""


def test_tiles_count_what_is_there_and_not_what_is_shown() -> None:
    counts = AlertCounts(120, 10, 0, 2, 3)
    assert [(tile.name, tile.number, tile.tone) for tile in alert_tiles(counts)] == [
        ("critical", 120, "bad"), ("warning", 10, "waits"), ("info", 0, "quiet"), ("acknowledged", 2, "good"),
        ("muted", 3, "quiet"),
    ]  # fmt: skip
    over = replace(ALERT, state="resolved", resolved_at=NOW)
    said = "2 of 135 that are not resolved. The others: `controlroom alert list`."
    assert left_out([ALERT, TAKEN, over], counts, 2) == said
    all_ = AlertCounts(1, 0, 0, 1, 0)
    assert left_out([ALERT, TAKEN, over], all_, 2) == ""
    said = "Of those that are resolved the latest 1. The others: `controlroom alert list --all`."
    assert left_out([ALERT, TAKEN, over], all_, 1) == said


def test_what_an_address_names_is_an_alert_or_nothing() -> None:
    assert id_named(str(ALERT.alert_id)) == ALERT.alert_id
    assert (id_named(""), id_named("<b>")) == (None, None)
    assert position(message_place(MESSAGE)) == (MESSAGE.created_at, MESSAGE.notification_id)
    assert [position(text) for text in (None, "", "yesterday_1", f"2026-01-01_{'x' * 36}")] == [None] * 4


def test_who_is_no_operator_where_the_alert_is_may_not_act_on_it() -> None:
    assert not acts_in([MINE], ALERT.org, ALERT.project, ALERT.env)
    assert acts_in([MINE], ALERT.org, ALERT.project, "dev")
    assert not acts_in([MINE], ALERT.org, "other", "dev")
    assert not acts_in([MINE], ALERT.org, ALERT.project, "stage")


def test_rules_routes_silences_and_messages_read_as_people_say_them() -> None:
    rule = RuleRow(
        "acme", "books", "bad rows", "failed_checks", ">", 3.0, None, "max", timedelta(hours=1), 2, None, None, None,
        "pipeline", "warning", "", "pipelines", True, False, "",
    )  # fmt: skip
    assert rule_words(rule) == "max of failed_checks over 1 h > 3, 2 times in a row"
    assert rule_words(replace(rule, aggregate="last", consecutive=1)) == "failed_checks > 3"
    route = RouteRow("a", {"env": "prod"}, "@a", "@b", (), [{"after_minutes": 30, "to": "secondary"}], "", 1)
    assert (route_match(route), escalation_words(route)) == ("env = prod", "after 30 min secondary")
    calls = replace(route, match={}, escalation=[{"after_minutes": 5, "channels": ["pager"]}])
    assert (route_match(calls), escalation_words(calls)) == ("everything", "after 5 min pager")
    assert escalation_words(replace(route, escalation=[])) == "nobody further"
    silence = SilenceRow(UUID(int=4), "acme", "books", "mute", "prod", "bad rows", "orders", NOW, NOW, "x", None)
    assert silence_words(silence) == "bad rows about orders in acme/books/prod"
    assert silence_words(replace(silence, rule=None, group_key=None, env=None)) == "everything in acme/books"
    [line] = message_lines([MESSAGE], NOW)
    assert (line.tone, line.when, line.error) == (DELIVERIES["failed"], "2 h ago", "500")
    assert (line.exact, line.link) == ("2026-03-01 10:00:00 UTC", "")
    [line] = message_lines([replace(MESSAGE, alert_id=ALERT.alert_id)], NOW)
    assert line.link == f"alerts?alert={ALERT.alert_id}"


@pytest.fixture
def broken(served: Served) -> AlertRow:
    """A run of a pipeline of its own has failed, and a rule has noticed."""
    operator = served.operator
    operator.queue(None, pipeline=f"orders_{uuid4().hex[:8]}", phases=(), max_attempts=1)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "nulls in amount_total")
    operator.owner.compute_run_score(run.run_id)
    return next(alert for alert in Alerts(operator.owner.source).alerts() if alert.run_id == run.run_id)


def test_an_alert_is_acknowledged_and_muted_from_the_page(watched: Watched, served: Served, broken: AlertRow) -> None:
    page = watched.page
    page.goto(f"{served.where}/alerts")
    expect(page.get_by_text(broken.title).first).to_be_visible()
    waiting = page.get_by_role("button", name="Acknowledge")
    expect(waiting.first).to_be_enabled()
    number = sum(alert.state == "open" for alert in Alerts(served.operator.owner.source).alerts())
    expect(waiting).to_have_count(number)
    waiting.first.click()
    expect(page.get_by_text(f"seen to by {LOCAL_OPERATOR}, ").first).to_be_visible()
    expect(waiting).to_have_count(number - 1)
    unresolved = page.get_by_role("button", name="Mute…").count()
    page.get_by_role("button", name="Mute…").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Mute", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("p_reason")
    dialog.get_by_label("Why").fill("a new disk")
    dialog.get_by_role("button", name="Mute", exact=True).click()
    expect(page.get_by_text("is mute for 1 hour.")).to_be_visible()
    expect(page.get_by_role("link", name="muted until").first).to_be_visible()
    expect(page.get_by_role("button", name="Mute…")).to_have_count(unresolved - 1)
    page.get_by_text("Silences", exact=True).click()
    expect(page.locator("tr", has_text="a new disk")).to_contain_text(LOCAL_OPERATOR)
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("is told again.")).to_be_visible()
    expect(page.get_by_text("Nothing is silent.")).to_be_visible()
    assert watched.hosts == {served.where.removeprefix("http://")}
    assert watched.complaints == []


def test_a_link_leads_to_its_alert_whatever_became_of_it(page: Page, served: Served, broken: AlertRow) -> None:
    source = served.operator.owner.source
    source.execute(  # type: ignore[union-attr]
        "update ops.alerts set state = 'resolved', resolved_at = clock_timestamp() where id = %s", [broken.alert_id]
    )
    page.goto(f"{served.where}/alerts")
    expect(page.get_by_role("listitem").filter(has_text="critical")).to_be_visible()
    expect(page.get_by_text(broken.title)).to_have_count(0)
    page.goto(f"{served.where}/alerts?alert={broken.alert_id}")
    expect(page.get_by_text("The link leads to this one.")).to_be_visible()
    shown = page.locator(".cr.alert").first
    expect(shown).to_contain_text(broken.title)
    expect(shown).to_contain_text("resolved")
    shown.get_by_role("link", name="the run").click()
    expect(page.locator(".verdict")).to_contain_text("Failed")
    page.goto(f"{served.where}/alerts?alert={uuid4()}")
    expect(page.get_by_text("that you may see.")).to_be_visible()


def test_messages_are_paged_and_found_by_their_state(page: Page, served: Served) -> None:
    project = served.operator.owner.ensure_project("default", "demo")
    served.operator.owner.source.execute(  # type: ignore[union-attr]
        "insert into ops.notifications (project_id, severity, title, channel, kind, state, created_at) "
        "select %s, 'info', 'message ' || n, 'pager', 'test', case n when 1 then 'failed' else 'delivered' end, "
        "clock_timestamp() - (60 - n) * interval '1 minute' from generate_series(1, 60) as n",
        [project],
    )
    try:
        page.goto(f"{served.where}/alerts?part=Messages")
        expect(page.get_by_text("message 60")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(50)
        page.get_by_role("button", name="Older").click()
        expect(page.get_by_text("message 1", exact=False).last).to_be_visible()
        expect(page.locator("tr", has_text="failed")).to_contain_text("message 1")
        expect(page.get_by_text("message 60")).to_have_count(0)
        page.get_by_role("radio", name="failed", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(1)
        assert "state=failed" in page.url
        page.goto(f"{served.where}/alerts?part=Messages&state=dropped")
        expect(page.get_by_text("None is dropped among the next 1,000 messages of each project.")).to_be_visible()
    finally:
        served.operator.owner.source.execute("delete from ops.notifications where kind = 'test'")  # type: ignore[union-attr]


def test_a_rule_changes_by_what_differs() -> None:
    assert changed(BLANK, BLANK, new=False) == {}
    then = filled_in(BLANK, {"threshold": 3.5, "within": timedelta(minutes=90), "pipeline": "orders", "env": ""})
    assert changed(BLANK, then, new=False) == {"threshold": 3.5, "within": "5400 seconds", "pipeline": "orders"}
    assert {"signal", "comparison", "threshold", "enabled"} <= set(changed(BLANK, BLANK, new=True))
    assert sentence(replace(then, aggregate="max", clear_threshold=1.0, enabled=False)) == (
        "Looks at orders and fires, once for each pipeline, when max of failed_checks over 1 h 30 min > 3.5; closes at 1. "
        "It is switched off."
    )
    roles = {"a": "admin", "b": "editor", "c": "operator", "d": "viewer"}
    mine = [MyProject("acme", name, UUID(int=1), NOW, {"prod": role, "dev": "admin"}) for name, role in roles.items()]
    assert [each.project for each in editable(mine)] == ["a", "b"]


def test_an_editor_makes_changes_and_removes_a_rule(watched: Watched, served: Served) -> None:
    page, desk = watched.page, Alerts(served.operator.owner.source)

    def rule(name: str) -> RuleRow | None:
        return next((row for row in desk.rules() if (row.project, row.name) == ("demo", name)), None)

    page.goto(f"{served.where}/alerts?part=Rules")
    page.get_by_role("button", name="New rule…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_label("Name", exact=True).fill("Many retries")
    dialog.get_by_label("Name", exact=True).press("Enter")
    dialog.get_by_label("Than", exact=True).fill("2")
    dialog.get_by_label("Than", exact=True).press("Enter")
    dialog.get_by_label("Pipeline", exact=True).fill("demo")
    dialog.get_by_label("Pipeline", exact=True).press("Enter")
    expect(
        dialog.get_by_text("Looks at demo and fires, once for each pipeline, when failed_checks > 2.")
    ).to_be_visible()
    assert rule("Many retries") is None
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rule Many retries is made.")).to_be_visible()
    made = rule("Many retries")
    assert made is not None
    assert (made.threshold, made.pipeline, made.env, made.built_in) == (2.0, "demo", None, False)
    page.get_by_role("combobox", name="Rule").click()
    page.get_by_role("option", name="Many retries").click()
    page.get_by_role("button", name="Change…").click()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_text("On", exact=True).click()
    expect(dialog.get_by_text("It is switched off.")).to_be_visible()
    # Whoever was an editor when the dialog opened is none when the button is pressed.
    with as_role(served, "operator"):
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("NOT_ALLOWED")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Rule Many retries is changed.")).to_be_visible()
    expect(page.locator("tr", has_text="Many retries (off)")).to_be_visible()
    page.get_by_role("button", name="Change…").click()
    dialog.get_by_role("button", name="Remove it and its alerts").click()
    expect(page.get_by_text("Rule Many retries is removed.")).to_be_visible()
    assert rule("Many retries") is None
    assert watched.complaints == []


def test_a_channel_is_made_tried_and_removed(page: Page, served: Served) -> None:
    desk = Alerts(served.operator.owner.source)
    with as_admin_of_all(served):
        page.goto(f"{served.where}/alerts?part=Routing")
        page.get_by_role("button", name="New channel…").click()
        dialog = page.get_by_role("dialog")
        for label, text in (
            ("Name", "night"),
            ("Address", "json://user:word@example.com"),
            ("Whose", "@data-owners"),
        ):
            dialog.get_by_label(label, exact=True).fill(text)
            dialog.get_by_label(label, exact=True).press("Enter")
        dialog.get_by_role("button", name="Save", exact=True).click()
        # An address as it is holds a password.
        expect(dialog.get_by_role("alert")).to_contain_text("must be a reference")
        dialog.get_by_label("Address", exact=True).fill("secret://file/night")
        dialog.get_by_label("Address", exact=True).press("Enter")
        dialog.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Channel night is made.")).to_be_visible()
        assert [(row.owner, row.secret) for row in desk.channels()] == [("@data-owners", "secret://file/night")]
        page.get_by_role("button", name="Test", exact=True).click()
        expect(page.get_by_text("The test of night is pending.")).to_be_visible()
        [message] = [each for each in desk.messages() if each.channel == "night"]
        served.operator.owner.source.execute(  # type: ignore[union-attr]
            "update ops.notifications set state = 'delivered', delivered_at = clock_timestamp() where id = %s",
            [message.notification_id],
        )
        expect(page.get_by_text("The test of night is delivered.")).to_be_visible()
        page.get_by_role("button", name="Remove…").click()
        dialog.get_by_role("button", name="Remove", exact=True).click()
        expect(page.get_by_text("Channel night is removed.")).to_be_visible()
        assert desk.channels() == []


def test_a_viewer_sees_alerts_and_is_told_who_may_act(page: Page, served: Served, broken: AlertRow) -> None:
    desk = Alerts(served.operator.owner.source)
    project = served.operator.owner.ensure_project("default", "demo")
    silence = desk.silence(project, "mute", timedelta(hours=1), "not now", env="stage")
    with as_role(served, "viewer"):
        page.goto(f"{served.where}/alerts?part=Silences")
        expect(page.get_by_role("button", name="End it")).to_be_disabled()
        page.goto(f"{served.where}/alerts")
        expect(page.get_by_text(broken.title).first).to_be_visible()
        expect(page.get_by_role("button", name="Mute…").first).to_be_disabled()
        page.goto(f"{served.where}/alerts?part=Routing")
        expect(page.get_by_label("Edit", exact=True)).to_be_disabled()
        expect(page.get_by_text("it is changed by its operator, or who is an admin of every org")).to_be_visible()
        expect(page.get_by_role("button", name="New channel…")).to_be_disabled()
        page.goto(f"{served.where}/alerts?part=Rules")
        expect(page.get_by_role("button", name="New rule…")).to_be_disabled()
        expect(page.get_by_text("This needs the role editor in prod").first).to_be_visible()
    desk.end_silence(silence)


@contextmanager
def as_admin_of_all(served: Served) -> Iterator[None]:
    people = Tenancy(served.operator.owner.source)
    people.set_member("default", None, LOCAL_OPERATOR, "admin")
    people.set_member("default", None, "another admin", "admin")
    try:
        yield
    finally:
        people.remove_member("default", None, LOCAL_OPERATOR)


def test_an_admin_of_every_org_changes_who_is_asked(page: Page, served: Served) -> None:
    with as_admin_of_all(served):
        page.goto(f"{served.where}/alerts?part=Routing")
        page.get_by_text("Edit", exact=True).click()
        expect(page.get_by_role("button", name="Save")).to_be_disabled()
        page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        owner = page.get_by_test_id("glide-cell-4-0")
        was = owner.inner_text()
        page.get_by_test_id("stDataFrame").click(position={"x": 700, "y": 52})
        page.get_by_test_id("stDataFrame").dblclick(position={"x": 700, "y": 52})
        cell = page.locator(".gdg-input")
        expect(cell).to_have_value(was)
        cell.fill("@night-shift")
        # What is typed faster than the table draws itself, it takes for nothing.
        expect(page.locator(".gdg-growing-entry")).to_contain_text("@night-shift")
        page.wait_for_timeout(300)
        cell.press("Enter")
        expect(page.get_by_text(f"{was} → @night-shift")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("1 row of the matrix changed.")).to_be_visible()
        page.get_by_text("Edit", exact=True).click()
        expect(page.locator("tr", has_text="@night-shift")).to_be_visible()
