"""A listener hears what is said, sleeps in between, and comes back after a lost connection saying so."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from ops.listen import CONTROL, RUNS, Listener, Notification


def tell(url: str, channel: str, payload: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_notify(%s, %s)", [channel, payload])


def test_it_hears_its_channels_and_no_others(empty_database: str) -> None:
    with Listener(empty_database, RUNS, CONTROL) as listener:
        assert listener.wait(0.01) == set()
        tell(empty_database, RUNS, "")
        tell(empty_database, "elsewhere", "x")
        tell(empty_database, CONTROL, "run-1")
        heard = listener.wait(5) | listener.wait(0.05)
    assert heard == {Notification(RUNS, ""), Notification(CONTROL, "run-1")}


def test_it_wakes_within_milliseconds(empty_database: str) -> None:
    with Listener(empty_database, RUNS) as listener:
        listener.wait(0.01)
        timer = threading.Timer(0.2, tell, (empty_database, RUNS, ""))
        timer.start()
        began = time.monotonic()
        assert listener.wait(10) == {Notification(RUNS, "")}
        assert time.monotonic() - began < 2
        timer.join()


@pytest.mark.parametrize("how", ["wake", "close"])
def test_another_thread_ends_a_wait(empty_database: str, how: str) -> None:
    listener = Listener(empty_database, RUNS)
    listener.wait(0.01)
    timer = threading.Timer(0.1, getattr(listener, how))
    timer.start()
    began = time.monotonic()
    assert listener.wait(10) == set()
    assert time.monotonic() - began < 5
    timer.join()
    listener.close()


def test_after_a_lost_connection_it_says_that_anything_may_have_happened(empty_database: str) -> None:
    with Listener(empty_database, RUNS) as listener:
        listener.wait(0.01)
        with psycopg.connect(empty_database, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'controlroom-listen' and datname = current_database()"
            )
        heard = set[Notification]()
        for _ in range(5):
            heard |= listener.wait(2)
            if heard:
                break
        assert heard == {Notification(RUNS, "")}
        tell(empty_database, RUNS, "again")
        assert listener.wait(5) == {Notification(RUNS, "again")}


def test_a_database_that_is_not_there_costs_waiting_not_an_error() -> None:
    with Listener("postgresql://nobody@127.0.0.1:1/none", RUNS) as listener:
        began = time.monotonic()
        assert listener.wait(0.2) == set()
        assert time.monotonic() - began >= 0.15
