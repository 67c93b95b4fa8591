"""The doctor tests each part for real, and for each fault says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from controlroom.checkups.finding import Finding
from controlroom.doctor import examine
from ops.database import connect
from ops.rpc import Rpc
from ops.settings import Settings
from tests.compute.conftest import calmed
from tests.controlroom.terminal import Terminal
from tests.faults.world import World, a_world
from tests.storage import S3


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    with a_world(database, tmp_path) as made:
        yield calmed(made)


def _settings(world: World, **more: object) -> Settings:
    return Settings.load(home=world.home, database_url=world.url, lease_seconds=30.0, **more)


def _found(settings: Settings) -> dict[str, Finding]:
    return {each.what: each for each in examine(settings)}


def _when(settings: Settings, ready: Callable[[dict[str, Finding]], bool]) -> dict[str, Finding]:
    deadline = monotonic() + 90
    while not ready(found := _found(settings)):
        assert monotonic() < deadline, found
        sleep(0.2)
    return found


def test_a_stack_that_works_is_well(world: World) -> None:
    world.start_steward()
    world.start_executor(slots=3)
    found = _when(_settings(world), lambda now: now["executors"].ok and now["steward"].ok)
    assert {name: each.said for name, each in found.items() if not each.ok} == {}
    assert "1 active with 3 slots" in found["executors"].said
    assert "written, read, refused twice, deleted" in found["lake"].said
    assert list((world.home / "lake" / ".doctor").iterdir()) == []
    answer = Terminal(world.home, world.url)("doctor", "--json")
    assert answer.code == 0
    assert {each["what"] for each in json.loads(answer.out)} == set(found)


def test_one_part_is_asked_alone(world: World, tmp_path: Path) -> None:
    """As a health check asks: nothing else is touched, and what cannot be known is no good news."""
    lake = tmp_path / "untouched"
    doctor = Terminal(world.home, world.url, {"CONTROLROOM_LAKE_URL": str(lake)})
    assert "steward: no steward is elected" in doctor("doctor", "--only", "steward").out
    world.start_steward()
    _when(_settings(world), lambda now: now["steward"].ok)
    answer = doctor("doctor", "--only", "steward")
    assert answer.code == 0
    assert len(answer.out.splitlines()) == 1
    assert not lake.exists()
    assert doctor("doctor", "--only", "stewart").code == 1
    gone = Terminal(world.home, "postgresql://nobody@127.0.0.1:1/none")("doctor", "--only", "steward")
    assert gone.code == 1
    assert "steward: nothing is known of it before postgres is repaired" in gone.out


def _no_partition(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        do $$ begin
          execute format('drop table ops.run_events_%s',
            to_char(clock_timestamp() at time zone 'UTC' + interval '1 month', 'YYYY_MM'));
        end $$
        """
    )


def _unserved(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        insert into ops.runs (project_id, env, pipeline, pipeline_version, spec, spec_sha256, git_sha, turn, available_at,
          created_at, capabilities)
        select id, 'dev', 'p', 1, '{}', 's', 'g', 1, now(), now(), '{gpu}' from ops.projects limit 1
        """
    )


def _untold(connection: psycopg.Connection) -> None:
    """A run that has ended a quarter of an hour ago, one that has only just, and one that was told: the first is stuck."""
    rpc = Rpc(connection)
    project = rpc.ensure_project("default", "faults")
    for age, done, error in ((900, False, "ConnectionError: no route"), (1, False, None), (9000, True, None)):
        run = rpc.create_run(project, "dev", "p", {}, "s", "g", [])
        connection.execute("set session_replication_role = replica")
        connection.execute("update ops.run_events set ts = ts - %s * interval '1 second' where run_id = %s", [age, run])
        connection.execute("set session_replication_role = default")
        connection.execute(
            "insert into ops.lineage_sent (run_id, project_id, done, last_error) values (%s, %s, %s, %s)",
            [run, project, done, error],
        )


FAULTS: dict[str, tuple[Callable[[psycopg.Connection], object], str, str, str]] = {
    "an old schema": (
        lambda connection: connection.execute("update private.schema_revision set version_num = '0002_pre_runs'"),
        "schema", "is at 0002_pre_runs", "controlroom migrate",
    ),
    "a newer schema": (
        lambda connection: connection.execute("update private.schema_revision set version_num = '9999_pre_later'"),
        "schema", "9999_pre_later", "upgrade the package",
    ),
    "no room for events": (_no_partition, "partitions", "next month", "start the steward"),
    "a run that nobody can take": (_unserved, "queue", "1 need gpu", "--capabilities"),
    "a receiver of lineage that is gone": (
        _untold, "openlineage", "2 runs wait to be told to the receiver, the first event for 15 min: ConnectionError: no route",
        "CONTROLROOM_OPENLINEAGE",
    ),
    "nobody who sweeps": (lambda _: None, "steward", "no steward is elected", "controlroom up"),
    "nobody who works": (lambda _: None, "executors", "none was seen", "controlroom executor"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_with_the_way_out(world: World, fault: str) -> None:
    break_it, what, said, do = FAULTS[fault]
    with connect(world.url, autocommit=True) as connection:
        break_it(connection)
    found = _found(_settings(world))[what]
    assert not found.ok
    assert said in found.said
    assert do in found.do


def test_a_steward_that_is_stuck_is_found(world: World) -> None:
    with connect(world.url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [0x57455741])
        connection.execute("insert into private.steward_pulse (at) values (now() - interval '10 minutes')")
        found = _found(_settings(world))["steward"]
    assert (found.ok, "has not gone its round" in found.said) == (False, True)


def test_a_store_that_refuses_is_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    found = _found(
        _settings(world, lake_url=str(tmp_path / "file" / "lake"), artifacts_url=str(tmp_path / "file" / "a"))
    )
    assert not found["lake"].ok
    assert not found["artifacts"].ok
    assert found["lake"].do


def test_a_store_in_a_bucket_is_tested_for_real(world: World, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket()
    for name, value in s3.options.items():
        monkeypatch.setenv(name, value)
    found = _found(_settings(world, lake_url=f"{bucket}/lake", artifacts_url=f"{bucket}/artifacts"))
    assert (found["lake"].said, found["lake"].ok) == (f"{bucket}/lake: written, read, refused twice, deleted", True)
    assert found["artifacts"].ok


def test_secrets_that_everybody_reads_are_found(world: World) -> None:
    (world.home / "secrets").mkdir(mode=0o755)
    (world.home / "secrets").chmod(0o755)
    assert "chmod 700" in _found(_settings(world))["home"].do
