"""Rolling a published table back: readers have what they had before, with all that stands on it, until other rows come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from threading import Event, Thread

import psycopg
import pytest

from ops.errors import Conflict, NotAllowed, NotFound
from pipelines import rollback
from pipelines.published import Published
from tests.pipelines.handlers.conftest import Bench
from tests.pipelines.handlers.test_publish import STANDING, STOOD, adorned, ask, published, reader, tables, to_postgres

__all__ = ["adorned", "published", "reader"]

TENANT = "acme/demo/dev"
FIRST: Mapping[str, object] = {"month": ["2026-01", "2026-02"], "amount": [Decimal("1.10"), Decimal("2.20")]}
SECOND: Mapping[str, object] = {"month": ["2026-03"], "amount": [Decimal("3.30")]}
THIRD: Mapping[str, object] = {"month": ["2026-04"], "amount": [Decimal("4.40")]}
SHAPES = pytest.mark.parametrize("shared", [False, True], ids=["plain", "shared"])


def publish(bench: Bench, rows: Mapping[str, object], **more: object) -> object:
    bench.put("gold.revenue", rows)
    return bench.run(to_postgres(bench, **more)).metrics["postgres"]


def back(
    bench: Bench,
    to: str | None = None,
    tenant: str = TENANT,
    agreed: Callable[[Published, Published], None] | None = None,
) -> tuple[Published, Published]:
    with rollback.opened(bench.url, "marts.revenue") as connection:
        return rollback.roll_back(connection, "marts.revenue", tenant, to, agreed or (lambda *_: None))


def shelf(bench: Bench) -> rollback.Shelf:
    with rollback.opened(bench.url, "marts.revenue") as connection:
        return rollback.shelf(connection, "marts.revenue", TENANT)


def months(bench: Bench) -> list[object]:
    return [row[0] for row in ask(bench, "select month from marts.revenue order by 1")]


@SHAPES
def test_readers_get_back_what_they_had_and_keep_it(bench: Bench, shared: bool) -> None:
    publish(bench, FIRST, shared=shared)
    publish(bench, SECOND, shared=shared)
    gone, come = back(bench)
    assert (gone.version, come.version) == (1, 0)
    assert months(bench) == ["2026-01", "2026-02"]
    assert bench.run(to_postgres(bench, shared=shared)).metrics["postgres"] == "held", "the same rows would come again"
    assert publish(bench, SECOND, shared=shared) == "held", "under another version too"
    assert months(bench) == ["2026-01", "2026-02"]
    assert publish(bench, THIRD, shared=shared) == "swapped"
    assert months(bench) == ["2026-04"]
    assert publish(bench, SECOND, shared=shared) == "swapped", "other rows have ended the hold"


@SHAPES
def test_as_many_are_kept_as_the_target_says(bench: Bench, shared: bool) -> None:
    for rows in (FIRST, SECOND, THIRD, FIRST):
        publish(bench, rows, shared=shared, keep=2)
    assert [one.published.version for one in shelf(bench).kept] == [2, 1]
    publish(bench, SECOND, shared=shared, keep=0)
    assert shelf(bench).kept == ()
    with pytest.raises(NotFound, match=r"no earlier version of marts\.revenue is kept for acme/demo/dev"):
        back(bench)


@SHAPES
def test_a_rollback_goes_back_and_not_to_and_fro(bench: Bench, shared: bool) -> None:
    for rows in (FIRST, SECOND, THIRD):
        publish(bench, rows, shared=shared, keep=2)
    assert back(bench)[1].version == 1
    assert back(bench)[1].version == 0
    standing = shelf(bench).standing
    assert standing is not None and len(standing.rolled_back) == 2
    with pytest.raises(NotFound):
        back(bench)
    assert back(bench, "v2")[1].rolled_back == {shelf(bench).kept[-1].published.fingerprint}, (
        "what stays held is the second"
    )
    assert months(bench) == ["2026-04"]
    assert bench.run(to_postgres(bench, shared=shared, keep=2)).metrics["postgres"] == "unchanged"


@SHAPES
def test_a_version_is_named_by_number_or_fingerprint(bench: Bench, shared: bool) -> None:
    for rows in (FIRST, SECOND, THIRD):
        publish(bench, rows, shared=shared, keep=2)
    wanted = shelf(bench).kept[1].published
    with pytest.raises(NotFound, match="kept are version 1"):
        back(bench, "7")
    with pytest.raises(Conflict, match="several"):
        back(bench, wanted.fingerprint[:3])
    assert back(bench, wanted.fingerprint)[1].version == 0


def test_what_stands_on_the_table_stands_on_the_earlier_rows(adorned: Bench) -> None:
    was = ask(adorned, STOOD)
    publish(adorned, SECOND)
    ask(adorned, "create policy later on marts.revenue for select using (true)")
    ask(adorned, "create index later on marts.revenue (month, amount)")
    now = ask(adorned, STOOD)
    back(adorned)
    assert ask(adorned, STOOD) == now
    assert ask(adorned, "select total from marts.more") == [(Decimal("3.30"),)]
    ask(adorned, "drop policy later on marts.revenue; drop index marts.later")
    assert ask(adorned, STOOD) == was
    assert tables(adorned) == ["revenue"]
    assert len(STANDING) > 10


def test_who_is_not_agreed_with_changes_nothing(bench: Bench) -> None:
    publish(bench, FIRST)
    publish(bench, SECOND)

    def refuse(*_: Published) -> None:
        raise NotAllowed("this needs the role editor")

    with pytest.raises(NotAllowed):
        back(bench, agreed=refuse)
    assert months(bench) == ["2026-03"]
    assert len(shelf(bench).kept) == 1


@SHAPES
def test_nothing_of_another_project_is_rolled_back(bench: Bench, shared: bool) -> None:
    publish(bench, FIRST, shared=shared)
    publish(bench, SECOND, shared=shared)
    with pytest.raises(NotFound, match="nothing of rivals/demo/dev is published"):
        back(bench, tenant="rivals/demo/dev")


@SHAPES
def test_what_is_kept_is_read_by_nobody(bench: Bench, reader: str, shared: bool) -> None:
    publish(bench, FIRST, shared=shared)
    ask(bench, f"grant usage on schema marts to {reader}; grant select on marts.revenue to {reader}")
    publish(bench, SECOND, shared=shared)
    [kept] = shelf(bench).kept
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(f"set role {reader}".encode())
        assert connection.execute("select month from marts.revenue").fetchall() == [("2026-03",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select * from marts.{kept.name}".encode())


@SHAPES
def test_readers_in_a_loop_see_one_version_or_the_other(bench: Bench, shared: bool) -> None:
    publish(bench, FIRST, shared=shared)
    stop, wrong, asked = Event(), [], [0]

    def read() -> None:
        with psycopg.connect(bench.url, autocommit=True) as connection:
            while not stop.is_set():
                try:
                    seen = [row[0] for row in connection.execute("select month from marts.revenue order by 1")]
                except psycopg.Error as error:
                    wrong.append(str(error))
                    return
                asked[0] += 1
                if seen not in (["2026-01", "2026-02"], ["2026-03"]):
                    wrong.append(str(seen))

    readers = [Thread(target=read) for _ in range(3)]
    for one in readers:
        one.start()
    try:
        for _ in range(3):
            publish(bench, SECOND, shared=shared)
            gone, _ = back(bench)
            back(bench, gone.fingerprint)
            publish(bench, FIRST, shared=shared)
    finally:
        stop.set()
        for one in readers:
            one.join()
    assert wrong == []
    assert asked[0] > 20
