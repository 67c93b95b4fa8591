"""Every table × every role × every verb, each tried for real; every function with its callers."""

from __future__ import annotations

import psycopg
import pytest

from tests.migrations.conftest import TwoTeams
from tests.migrations.permissions import ROLES, VERBS, callers, faults, tables
from tests.migrations.tenants import two_teams
from tests.postgres import Databases

PEOPLE = {
    "register_pipeline", "create_run", "cancel_run", "retry_run", "revoke_lease", "drain_executor", "verify_event_chain",
    "create_project", "set_member", "remove_member", "create_access_token", "revoke_access_token", "use_access_token",
    "share_dataset", "unshare_dataset", "promote_pipeline", "find_runs",
    "acknowledge_alert", "silence_alerts", "end_silence", "put_alert_rule", "remove_alert_rule", "put_channel",
    "remove_channel", "test_channel", "put_route",
    "what_if_score", "set_signal_weight", "set_score_gate",
    "put_schedule", "pause_schedule", "resume_schedule", "remove_schedule", "fire_schedule", "create_webhook_secret",
    "put_freshness_rule", "remove_freshness_rule",
    "note_dataset", "note_column", "masked_columns", "record_bi_objects", "note_rollback",
    "save_answer", "submit_query", "find_queries", "check_results", "start_refresh", "swap_refresh", "roll_back_refresh",
    "start_backfill", "pause_backfill", "resume_backfill", "cancel_backfill", "replay_run", "preview_rerun",
    "set_cap", "remove_cap", "cap_report", "set_pool", "remove_pool", "set_price", "why_waiting",
    "steward_seen",
}  # fmt: skip
EXECUTORS = {
    "register_executor", "executor_seen", "claim_run", "start_run", "heartbeat_run", "heartbeat_runs", "pin_inputs",
    "start_phase", "finish_phase", "append_events", "register_artifact", "hold_run", "record_dataset", "record_signal",
    "complete_run", "fail_run", "release_run", "release_canceled_run", "compute_run_score", "cap_allow",
    "shared_dataset", "run_secrets", "released_versions", "run_traceparent", "is_draining",
    "build_on", "named_versions", "personal_columns", "known_answer",
}  # fmt: skip
BACK_END = {
    "ensure_project", "create_org", "allow_secret", "disallow_secret", "requeue_stale_runs", "mark_lost_executors",
    "score_ended_runs", "ensure_event_partitions", "prune",
    "add_account", "disable_account", "add_sign_in_link", "set_password", "list_accounts",
    "judge_standing", "escalate_alerts", "claim_messages", "message_delivered", "message_refused",
    "due_schedules", "decide_clocks", "pending_schedules", "decide_events", "prune_ticks", "unread_clocks",
    "record_event_time", "check_freshness",
    "advance_backfills", "metrics", "steward_round", "record_evidence", "probes_due",
    "enroll_lineage", "due_lineage", "lineage_told", "lineage_refused",
    "due_bi_wishes", "bi_wish_granted", "bi_wish_refused",
}  # fmt: skip
DOOR = {
    "sign_in_challenge", "sign_in", "link_subject", "use_sign_in_link", "session_subject", "login_holds", "sign_out",
    "receive_webhook",
}  # fmt: skip


def test_every_table_every_role_every_verb(tenancy: TwoTeams) -> None:
    assert len(tables(tenancy.connection)) * len(ROLES) * len(VERBS) > 600
    assert faults(tenancy.connection, tenancy.ours, tenancy.theirs) == []


CARELESS = {
    "a table that nobody protected": (
        "create table ops.sneaky (id int, project_id uuid)",
        "ops.sneaky has row-level security off",
    ),
    "rows that everybody may read": (
        "create table ops.sneaky (id int, project_id uuid);"
        "insert into ops.sneaky select 1, id from ops.projects;"
        "grant select on ops.sneaky to authenticated",
        "someone@acme sees rows of rivals in ops.sneaky",
    ),
    "a view that reads as its owner": (
        "create view ops.all_runs as select id, project_id from ops.runs; grant select on ops.all_runs to authenticated",
        "someone@acme sees rows of rivals in ops.all_runs",
    ),
    "a grant to the executors": ("grant select on ops.runs to controlroom_executor", "controlroom_executor may select"),
    "a grant to write": ("grant update on ops.runs to authenticated", "authenticated may update ops.runs"),
    "security that is not forced": ("alter table ops.caps no force row level security", "ops.caps has row-level"),
    "a policy for all": (
        "create policy open on ops.signals for select to authenticated using (true)",
        "someone@acme sees rows of rivals in ops.signals",
    ),
    "events that can be changed": ("grant update on ops.run_events to service_role", "service_role may update"),
}


@pytest.mark.parametrize("mistake", CARELESS)
def test_a_careless_change_fails_the_matrix(databases: Databases, template: str, mistake: str) -> None:
    change, complaint = CARELESS[mistake]
    with databases.clone(template) as url:
        ours, theirs = two_teams(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(change.encode())
            said = faults(connection, ours, theirs)
            assert any(line.startswith(complaint) for line in said), said


def test_each_function_has_exactly_its_callers(tenancy: TwoTeams) -> None:
    found = {role: callers(tenancy.connection, role) for role in ROLES}
    assert found == {
        "anon": set(),
        "authenticated": PEOPLE,
        "service_role": PEOPLE | EXECUTORS | BACK_END,
        "controlroom_executor": EXECUTORS,
        "controlroom_bi": set(),
        "controlroom_login": DOOR,
        "controlroom_token": set(),
    }


def test_no_function_trusts_the_callers_search_path(tenancy: TwoTeams) -> None:
    rows = tenancy.connection.execute(
        """
        select p.oid::regprocedure::text, p.prosecdef, coalesce(p.proconfig, '{}')
        from pg_proc p
        where p.pronamespace in ('ops'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
        """
    ).fetchall()
    assert len(rows) > 40
    assert [name for name, _, settings in rows if "search_path=pg_catalog, pg_temp" not in settings] == []
    # Executors have execute and nothing else: an RPC that runs as its caller could not read a row for them.
    assert [name for name, definer, _ in rows if name.startswith("ops.") and not definer] == []


def test_a_member_of_one_environment_sees_nothing_of_another(tenancy: TwoTeams) -> None:
    from tests.migrations.permissions import acting

    connection, ours = tenancy.connection, tenancy.ours
    connection.execute(
        "insert into ops.memberships (org_id, project_id, subject, role, envs) values (%s, %s, 'guest', 'viewer', '{prod}')",
        [ours.org, ours.project],
    )
    with acting(connection, "authenticated", "guest"):
        for table in (
            "runs",
            "run_phases",
            "run_events",
            "run_artifacts",
            "run_scores",
            "datasets",
            "dataset_versions",
        ):
            assert connection.execute(f"select count(*) from ops.{table}".encode()).fetchone() == (0,), table
