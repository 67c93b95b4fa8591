"""What Prometheus is told: true, monotone, bounded, cheap, and only to whom it may."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ops.errors import PhaseFailed
from ops.model import NewPhase, PhaseStatus, RunId
from ops.watching import Watching
from tests.controlroom.terminal import Terminal
from tests.operating import SPEC, Operator

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _scraped(terminal: Terminal) -> Samples:
    answer = terminal("metrics", "--once")
    assert answer.code == 0, answer.err
    return _samples(answer.out)


def _samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def _run(operator: Operator, end: str) -> RunId:
    """A run that succeeded, failed, or stays owned or queued: the new one, or of those that wait the first."""
    project = operator.owner.ensure_project("default", "demo")
    run = operator.owner.create_run(
        project, "dev", "demo", SPEC, "5" * 64, "a" * 40, [NewPhase("bronze", "ingest")], max_attempts=1
    )
    if end == "queued":
        return run
    [claimed] = operator.executor.claim_run(operator.executor_id, lease_seconds=60)
    run = claimed.run_id
    operator.executor.start_run(run, claimed.lease_token)
    if end == "owned":
        return run
    operator.executor.start_phase(run, claimed.lease_token, "bronze")
    if end == "succeeded":
        operator.executor.finish_phase(run, claimed.lease_token, "bronze", PhaseStatus.SUCCEEDED, {})
        operator.executor.complete_run(run, claimed.lease_token, {})
    else:
        operator.executor.fail_run(run, claimed.lease_token, PhaseFailed.code, "on purpose")
    return run


def _counted(operator: Operator, runs: int) -> None:
    """Waits until the totals have so many runs: they wait for whatever transaction of the server is open."""
    deadline = monotonic() + 60
    while True:
        found = Watching(operator.owner.source).metrics()["runs"]
        assert isinstance(found, list)
        if sum(each["runs"] for each in found) == runs:
            return
        assert monotonic() < deadline, found
        sleep(0.05)


@pytest.fixture
def busy(operator: Operator) -> Operator:
    for end in ("succeeded", "succeeded", "failed", "owned", "queued", "queued"):
        _run(operator, end)
    _counted(operator, 3)
    return operator


def test_what_is_so_is_told(busy: Operator, tmp_path: Path) -> None:
    samples = _scraped(Terminal(tmp_path, busy.url))
    demo = {"project": "default/demo"}
    assert _value(samples, "controlroom_up") == 1
    assert _value(samples, "controlroom_queue_runs", **demo, env="dev") == 2
    assert _value(samples, "controlroom_queue_oldest_seconds", **demo, env="dev") > 0
    assert _value(samples, "controlroom_runs_owned", **demo, status="running") == 1
    ended = {"pipeline": "demo", **demo}
    assert _value(samples, "controlroom_runs_ended_total", **ended, status="succeeded") == 2
    assert _value(samples, "controlroom_runs_ended_total", **ended, status="failed") == 1
    assert _value(samples, "controlroom_run_duration_seconds_count", **ended, status="succeeded") == 2
    assert _value(samples, "controlroom_run_duration_seconds_bucket", **ended, status="succeeded", le="+Inf") == 2
    assert _value(samples, "controlroom_phase_duration_seconds_count", **demo, kind="ingest", status="succeeded") == 2
    assert _value(samples, "controlroom_claims_total") == 4
    assert _value(samples, "controlroom_executors", state="active") == 1
    assert _value(samples, "controlroom_executor_slots", state="active") == 4
    assert 0 <= _value(samples, "controlroom_lease_renewal_age_seconds") < 60
    assert _value(samples, "controlroom_steward_elected") == 0
    assert _value(samples, "controlroom_queue_unservable_runs") == 0
    assert _value(samples, "controlroom_database_max_connections") > 0


def test_each_run_is_counted_once_whoever_asks_how_often(busy: Operator) -> None:
    """An open transaction holds the counting back; what ended under it is counted when it is over, and never twice."""
    watching = Watching(busy.owner.source)
    with psycopg.connect(busy.url) as slow:
        slow.execute("select pg_current_xact_id()")
        late = _run(busy, "owned")
        busy.owner.cancel_run(late, "held back")
        token = slow.execute("select lease_token from ops.run_leases where run_id = %s", [late]).fetchone()
        assert token is not None
        slow.execute("select ops.release_canceled_run(%s, %s, 'late')", [late, token[0]])
        for _ in range(3):
            found = watching.metrics()["runs"]
            assert isinstance(found, list)
            assert sum(each["runs"] for each in found) == 3
        _run(busy, "succeeded")
        slow.commit()
    _counted(busy, 5)
    for _ in range(3):
        watching.steward_round()
    _counted(busy, 5)


def test_names_are_bounded(operator: Operator) -> None:
    connection = operator.owner.source
    assert isinstance(connection, psycopg.Connection)
    connection.execute(
        "insert into ops.run_totals select p.id, 'p' || n, 'succeeded', 1, 0, 1, array_fill(0::bigint, '{10}')"
        " from generate_series(1, 400) n, (select id from ops.projects limit 1) p"
    )
    _run(operator, "succeeded")
    _counted(operator, 401)
    found = Watching(connection).metrics()["runs"]
    assert isinstance(found, list)
    assert {each["pipeline"] for each in found if not re.fullmatch(r"p\d+", each["pipeline"])} == {"(other)"}


def test_a_scrape_does_not_read_history(operator: Operator) -> None:
    """A hundred thousand ended runs, and no more blocks are touched than with none."""
    connection = operator.owner.source
    assert isinstance(connection, psycopg.Connection)
    for _ in range(20):
        _run(operator, "queued")

    def touched() -> int:
        Watching(connection).metrics()
        connection.execute("select pg_stat_force_next_flush()")
        row = connection.execute(
            "select sum(seq_tup_read + idx_tup_fetch) from pg_stat_user_tables where relname = 'runs'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    project = operator.owner.ensure_project("default", "demo")
    connection.execute(
        """
        insert into ops.runs (project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, status, turn,
          available_at, created_at, finished_at)
        select %s, 'dev', 'demo', 1, '{}', '5', 'a', 'succeeded', n, now(), now() - interval '3 days', now() - interval '2 days'
        from generate_series(1, 100000) n
        """,
        [project],
    )
    connection.execute("vacuum analyze ops.runs")
    before = touched()
    after = touched()
    assert after - before < 2000, f"{after - before} rows of ops.runs were read for one scrape"


@contextmanager
def _served(terminal: Terminal, *options: str) -> Iterator[str]:
    process = terminal.start("metrics", "--port", "0", *options)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("metrics: ")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def _got(url: str, token: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_is_served_and_a_token_guards_it(database: str, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "scrape").write_text("a-token-for-scrapes")
    terminal = Terminal(tmp_path, database)
    with _served(terminal, "--token", "secret://file/scrape") as url:
        assert [_got(url)[0], _got(url, "wrong")[0], _got(url.replace("/metrics", "/"))[0]] == [401, 401, 404]
        code, text = _got(url, "a-token-for-scrapes")
    assert code == 200
    assert _value(_samples(text), "controlroom_up") == 1


def test_beyond_loopback_a_token_is_needed(database: str, tmp_path: Path) -> None:
    answer = Terminal(tmp_path, database)("metrics", "--host", "0.0.0.0", "--port", "0")
    assert answer.code == 2
    assert "--token" in answer.err


def test_a_database_that_is_gone_is_told_too(tmp_path: Path) -> None:
    samples = _scraped(Terminal(tmp_path, "postgresql://nobody@127.0.0.1:1/none"))
    assert samples == {("controlroom_up", ()): 0}
