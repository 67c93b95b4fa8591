"""What Postgres raises becomes a typed error in one place, whichever driver carried it."""

from __future__ import annotations

import time

import psycopg
import pytest

from ops import errors
from ops.database import Pool, connect
from ops.embedded import Cluster
from ops.translation import translate, translated

OURS = sorted((kind for kind in errors.all_errors().values() if kind.sqlstate), key=lambda kind: str(kind.sqlstate))


def raising(state: str) -> str:
    return (
        "do $$ begin raise exception 'run 7 is gone; claim again' using errcode = "
        f"'{state}', detail = '{{\"run\": 7}}'; end $$"
    )


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: str(kind.sqlstate))
def test_each_of_our_states_comes_out_as_its_class_with_its_facts(
    cluster: Cluster, kind: type[errors.ControlRoomError]
) -> None:
    with connect(cluster.url("postgres"), autocommit=True) as connection, pytest.raises(kind) as caught, translated():
        connection.execute(raising(str(kind.sqlstate)))
    assert type(caught.value) is kind
    assert str(caught.value) == "run 7 is gone; claim again"
    assert caught.value.data == {"run": 7}


@pytest.mark.parametrize(
    ("statement", "kind", "hint"),
    [
        ("select 1 / 0", errors.BadInput, "division by zero"),
        ("select * from nowhere.at_all", errors.StackFailed, "controlroom migrate"),
        ("select nothing_of_that_name()", errors.StackFailed, "controlroom migrate"),
        ("set statement_timeout = '10ms'; select pg_sleep(5)", errors.DatabaseUnavailable, "repeat"),
        ("select pg_terminate_backend(pg_backend_pid())", errors.DatabaseUnavailable, "stopping or starting"),
    ],
)
def test_postgres_own_errors_say_the_way_out(
    cluster: Cluster, statement: str, kind: type[errors.ControlRoomError], hint: str
) -> None:
    with connect(cluster.url("postgres"), autocommit=True) as connection, pytest.raises(kind, match=hint), translated():
        connection.execute(statement)


def test_nobody_at_the_address_is_database_unavailable_and_shows_no_password() -> None:
    with pytest.raises(errors.DatabaseUnavailable, match="is it running") as caught:
        connect("postgresql://someone:opensesame@127.0.0.1:1/db")
    assert "opensesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_not_allowed(cluster: Cluster) -> None:
    with pytest.raises(errors.NotAllowed, match="password"):
        connect(cluster.url("postgres", tcp=True).replace(cluster.password, "wrong"))


def end_sessions(cluster: Cluster, name: str, expected: int) -> None:
    """Ends the sessions of that name when there are as many, and waits until the server has forgotten them."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:

        def count() -> int:
            asked = "select count(*) from pg_stat_activity where application_name = %s"
            return int(connection.execute(asked, [name]).fetchall()[0][0])

        def wait_for(number: int) -> None:
            until = time.monotonic() + 10
            while count() != number:
                assert time.monotonic() < until, f"{count()} sessions are called {name}, not {number}"
                time.sleep(0.01)

        wait_for(expected)
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", [name])
        wait_for(0)


def test_a_pool_that_lost_its_server_connections_works_again_at_the_next_call(cluster: Cluster) -> None:
    with Pool(cluster.url("postgres"), min_size=3, max_size=3, name="pool-to-break") as pool:
        with pool.connection() as first:
            first.execute("select 1")
        end_sessions(cluster, "pool-to-break", expected=3)
        with pytest.raises(errors.DatabaseUnavailable), pool.connection() as broken:
            broken.execute("select 1")
        for _ in range(3):
            with pool.connection() as healed:
                assert healed.execute("select 2").fetchone() == (2,)


def test_an_error_of_an_unknown_kind_keeps_its_state() -> None:
    assert "25P02" in str(translate(psycopg.errors.InFailedSqlTransaction("odd")))
