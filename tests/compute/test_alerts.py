"""Rules, routing, silences, escalation and the ledger of messages, against Postgres and a webhook that is really called."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from compute.courier import Courier
from ops.alerts import AlertRow, Alerts, Messages
from ops.database import AUTHENTICATED, Connection, acting_as
from ops.errors import BadInput, NotAllowed, NotFound
from ops.model import RunId
from ops.secrets import SecretStore
from ops.tenancy import Tenancy
from ops.translation import translated
from tests.compute.receiving import free_port, received, receiver
from tests.operating import Operator


def ended(operator: Operator, failed: bool, **changes: object) -> RunId:
    """A run that succeeded or failed for good and has its score."""
    operator.queue(None, **{"phases": (), **changes})
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    if failed:
        operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "3 nulls in amount")
    else:
        operator.executor.complete_run(run.run_id, run.lease_token, {})
    operator.owner.compute_run_score(run.run_id)
    return run.run_id


def only(connection: Connection, rule: str) -> AlertRow:
    [alert] = [each for each in Alerts(connection).alerts(everything=True) if each.rule == rule]
    return alert


def states(connection: Connection, rule: str) -> list[str]:
    return [each.state for each in Alerts(connection).alerts(everything=True) if each.rule == rule][::-1]


@pytest.fixture
def desk(operator: Operator, connection: Connection) -> Alerts:
    """With a channel of the owners of pipelines, and nothing gathered."""
    operator.owner.ensure_project("default", "demo")
    connection.execute("update ops.alert_rules set gather_seconds = 0")
    found = Alerts(connection)
    found.put_channel("hook", "secret://file/hook", owner="@data-owners")
    return found


def test_a_failed_run_opens_one_alert_that_the_next_success_resolves(
    operator: Operator, connection: Connection, desk: Alerts
) -> None:
    failed = ended(operator, failed=True)
    first = only(connection, "Run failed")
    assert (first.state, first.run_id, first.group_key, first.severity) == ("open", failed, "demo", "critical")
    assert first.said == "the run failed with CHECK_FAILED: 3 nulls in amount"
    again = ended(operator, failed=True)
    assert only(connection, "Run failed").alert_id == first.alert_id
    assert only(connection, "Run failed").run_id == again
    operator.owner.compute_run_score(again)
    assert len(desk.messages(first.alert_id)) == 1
    ended(operator, failed=False)
    assert only(connection, "Run failed").state == "resolved"
    ended(operator, failed=True)
    assert states(connection, "Run failed") == ["resolved", "open"]


def test_a_rule_has_its_own_threshold_for_closing(operator: Operator, connection: Connection, desk: Alerts) -> None:
    project = operator.owner.ensure_project("default", "demo")
    desk.put_rule(project, "Slow", {"signal": "slowness", "comparison": ">", "threshold": 10, "clear_threshold": 5})
    for value, wanted in ((9, []), (11, ["open"]), (7, ["open"]), (12, ["open"]), (4, ["resolved"]), (7, ["resolved"])):
        said(operator, connection, "slowness", value)
        assert states(connection, "Slow") == wanted, value


def test_a_rule_over_a_window_and_one_over_breaches_in_a_row(
    operator: Operator, connection: Connection, desk: Alerts
) -> None:
    project = operator.owner.ensure_project("default", "demo")
    desk.put_rule(project, "Mean", {"signal": "x", "comparison": ">", "threshold": 5, "aggregate": "avg"})
    desk.put_rule(project, "Share", {"signal": "x", "comparison": ">=", "threshold": 0.5, "aggregate": "share"})
    desk.put_rule(project, "Thrice", {"signal": "x", "comparison": ">", "threshold": 5, "consecutive": 3})
    seen = []
    for value in (0, 8, 6, 7, 0):
        said(operator, connection, "x", value)
        seen.append([states(connection, rule) for rule in ("Mean", "Share", "Thrice")])
    assert seen == [
        [[], [], []],
        [[], ["open"], []],
        [[], ["open"], []],
        [["open"], ["open"], ["open"]],
        [["resolved"], ["open"], ["resolved"]],
    ]


def said(operator: Operator, connection: Connection, signal: str, value: float) -> None:
    operator.queue(None, phases=())
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.record_signal(run.run_id, run.lease_token, signal, value)
    operator.executor.complete_run(run.run_id, run.lease_token, {})
    operator.owner.compute_run_score(run.run_id)


def test_a_wrong_rule_is_refused_by_name(operator: Operator, desk: Alerts) -> None:
    project = operator.owner.ensure_project("default", "demo")
    for rule, fault in (
        ({"signal": "x"}, "needs signal, comparison and threshold"),
        ({"signal": "x", "comparison": "=", "threshold": 1}, "comparison"),
        ({"signal": "x", "comparison": ">", "threshold": 1, "colour": "red"}, "colour is none of a rule"),
        ({"signal": "x", "comparison": ">", "threshold": "much"}, "much"),
    ):
        with pytest.raises(BadInput, match=fault):
            desk.put_rule(project, "Wrong", rule)
    with pytest.raises(NotFound, match="switched off instead"):
        desk.remove_rule(project, "Run failed")


def test_what_waits_too_long_and_what_is_too_old_is_told(
    operator: Operator, connection: Connection, desk: Alerts
) -> None:
    messages = Messages(connection)
    run = operator.queue()
    connection.execute("update ops.runs set available_at = now() - interval '1 hour' where id = %s", [run])
    connection.execute(
        "insert into ops.freshness_rules (project_id, env, dataset, warn_seconds, error_seconds) "
        "select id, 'dev', 'gold.orders', 1, 2 from ops.projects where slug = 'demo'"
    )
    connection.execute(
        "insert into ops.freshness_breaches (rule_id, project_id, env, dataset, level, clock, began_at) "
        "select id, project_id, env, dataset, level, now() - interval '1 day', now() "
        "from ops.freshness_rules, unnest('{warn,error}'::text[]) as level"
    )
    for _ in range(2):
        messages.judge_standing()
    assert states(connection, "Queue stands still") == ["open"]
    assert states(connection, "Data is late") == ["open", "open"]
    connection.execute("update ops.freshness_breaches set ended_at = now() where level = 'error'")
    operator.owner.cancel_run(run, "enough")
    for _ in range(2):
        messages.judge_standing()
    assert states(connection, "Queue stands still") == ["resolved"]
    assert sorted(states(connection, "Data is late")) == ["open", "resolved"]
    # Began and ended between two looks: told all the same.
    connection.execute("delete from ops.alerts")
    connection.execute("update ops.freshness_breaches set ended_at = now()")
    messages.judge_standing()
    assert states(connection, "Data is late") == ["resolved", "resolved"]


def test_the_matrix_says_who_is_told_and_who_next(operator: Operator, connection: Connection, desk: Alerts) -> None:
    desk.put_channel("platform", "secret://file/platform", owner="@platform-owners")
    desk.put_channel("pager", "secret://file/pager")
    desk.put_route(
        "prod", {
            "match": {"area": "pipelines", "env": "dev"}, "primary_owner": "@data-owners",
            "secondary_owner": "@platform-owners", "priority": 1,
            "escalation": [{"after_minutes": 10, "to": "secondary"}, {"after_minutes": 5, "channels": ["pager"]}],
        },
    )  # fmt: skip
    ended(operator, failed=True)
    alert = only(connection, "Run failed")

    def told() -> list[tuple[str, int]]:
        return sorted((each.channel, each.escalation_level) for each in desk.messages(alert.alert_id))

    def after(minutes: float) -> int:
        at = alert.opened_at + timedelta(minutes=minutes)
        [[count]] = connection.execute("select private.escalate(%s)", [at]).fetchall()
        return int(count)

    assert told() == [("hook", 0)]
    # The score is low as well: its alert has the same route and the same time.
    assert (after(9.9), after(10.1), after(10.2)) == (0, 2, 0)
    assert told() == [("hook", 0), ("platform", 1)]
    desk.acknowledge(only(connection, "Score is low").alert_id)
    assert (after(15.0), after(15.2), after(60)) == (0, 1, 0)
    assert told() == [("hook", 0), ("pager", 2), ("platform", 1)]


def test_a_silence_holds_back_and_what_is_still_open_is_sent_after_it(
    operator: Operator, connection: Connection, desk: Alerts
) -> None:
    project = operator.owner.ensure_project("default", "demo")
    messages = Messages(connection)
    silence = desk.silence(project, "maintenance", timedelta(hours=1), "a new disk", env="dev")
    ended(operator, failed=True)
    over = ended(operator, failed=True, pipeline="other")
    assert len(desk.alerts()) == 4
    assert messages.claim(30) == []
    [[escalated]] = connection.execute("select private.escalate(now() + interval '50 minutes')").fetchall()
    assert escalated == 0
    # The other's next run succeeds while nobody is told: nobody needs to be.
    ended(operator, failed=False, pipeline="other")
    desk.end_silence(silence)
    sent = messages.claim(30)
    assert {each.alert_id for each in sent} == {each.alert_id for each in desk.alerts()}
    assert over not in {each.run_id for each in sent}


def test_only_those_who_may_speak_for_a_place_do(operator: Operator, connection: Connection, desk: Alerts) -> None:
    tenancy = Tenancy(connection)
    project = operator.owner.ensure_project("default", "demo")
    for who, role in (("ann", "viewer"), ("bob", "operator")):
        tenancy.set_member("default", "demo", who, role)
    ended(operator, failed=True)
    alert = only(connection, "Run failed").alert_id

    acts: tuple[Callable[[Alerts], object], ...] = (
        lambda desk: desk.acknowledge(alert),
        lambda desk: desk.silence(project, "mute", timedelta(hours=1), "noisy", rule="Run failed"),
    )
    for who, refused in (("ann", NotAllowed), ("stranger", NotFound), ("bob", None)):
        with translated(), acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
            assert bool(Alerts(acting).alerts()) == (who != "stranger")
        for act in acts:
            with (
                pytest.raises(refused) if refused else nullcontext(),
                translated(),
                acting_as(connection, AUTHENTICATED, {"sub": who}) as acting,
            ):
                act(Alerts(acting))
        with pytest.raises(NotAllowed), translated(), acting_as(connection, AUTHENTICATED, {"sub": who}) as acting:
            Alerts(acting).put_channel("mine", "secret://file/mine")
    assert only(connection, "Run failed").acknowledged_by == "bob"


def wait_until_delivered(connection: Connection, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while rows := connection.execute(
        "select state, last_error from ops.notifications where state <> 'delivered'"
    ).fetchall():
        assert time.monotonic() < until, rows[:5]
        time.sleep(0.1)


def test_messages_arrive_by_webhook_and_mail_and_the_address_is_nowhere(
    operator: Operator, connection: Connection, desk: Alerts, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ports = {kind: free_port() for kind in ("webhook", "mail")}
    (tmp_path / "secrets").mkdir()
    planted = "plant-8c1f60"
    (tmp_path / "secrets" / "hook").write_text(f"json://{planted}:{planted}@127.0.0.1:{ports['webhook']}/{planted}")
    (tmp_path / "secrets" / "mail").write_text(
        f"mailto://127.0.0.1:{ports['mail']}?from=room@example.org&to={planted}@example.org&name={planted}"
    )
    desk.put_channel("mail", "secret://file/mail", owner="@data-owners")
    desk.put_channel("gone", "secret://file/gone", owner="@data-owners")
    failed = ended(operator, failed=True)
    courier = Courier(operator.url, SecretStore(tmp_path), 6.0)
    courier.start()
    try:
        until = time.monotonic() + 60
        while connection.execute("select from ops.notifications where last_error = ''").fetchall():
            assert time.monotonic() < until, "nobody listens, and nobody says so"
            time.sleep(0.1)
        (tmp_path / "secrets" / "gone").write_text(f"json://127.0.0.1:{ports['webhook']}/{planted}")
        with receiver("webhook", ports["webhook"], tmp_path / "w"), receiver("mail", ports["mail"], tmp_path / "m"):
            wait_until_delivered(connection)
    finally:
        courier.stop()
    arrived = [*received(tmp_path / "w"), *received(tmp_path / "m")]
    told = {str(each.notification_id): each for each in desk.messages()}
    assert sorted(one for each in arrived for one in each.ids) == sorted(told)
    for each in arrived:
        assert {str(told[one].batch_id) for one in each.ids} == {each.batch}
        assert str(failed) in each.text
        assert "[critical]" in each.text
    kept = str(connection.execute("select n::text from ops.notifications n").fetchall())
    assert planted not in kept + "".join(capfd.readouterr())
