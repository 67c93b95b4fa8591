"""A full refresh on real executors: nobody reads it before the swap, all get it at once, and a rollback is a way back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from deltalake import DeltaTable

from ops.database import connect
from ops.errors import BadInput, Conflict, IllegalTransition
from ops.model import RefreshAsked, RunId
from ops.reads import Reads
from ops.refreshes import Refreshes
from pipelines.catalogue import new_phases
from pipelines.refresh import refreshed
from pipelines.spec import Pipeline, spec_sha256
from pipelines.spec_source import parse
from tests.compute.specs import pipeline
from tests.controlroom.terminal import Terminal
from tests.faults.world import World

SQL = "select id, {0} as name from seed cross join params where id < params.lines"
TABLES = ("gold.one", "gold.two")


def table(name: str, mode: str, made_from: str = "bronze.seed") -> dict[str, object]:
    output = {"table": f"gold.{name}", "mode": mode, "key": ["id"]}
    sql = SQL.format("params.name") if made_from == "bronze.seed" else "select id, name from seed"
    return {"name": name, "kind": "transform", "inputs": {"seed": made_from}, "sql": sql, "output": output}


def marts(least: int = 0) -> Pipeline:
    """``gold.one`` is merged by key, ``gold.two`` is made from it whole."""
    check = {"name": "check", "kind": "validate", "table": "gold.one", "expect": [{"rows": {"min": least}}]}
    publish = {"name": "out", "kind": "publish", "table": "gold.two", "to": {"artifact": {"format": "csv"}}}
    return pipeline(table("one", "merge"), table("two", "replace", "gold.one"), check, publish, name="marts")


def run(world: World, spec: Pipeline, name: str, lines: int = 3) -> RunId:
    before = len(world.rows("select 1 from ops.runs"))
    made = world.submit(spec, {"name": name, "lines": lines}, max_attempts=1)
    world.wait_until_finished(before + 1)
    assert world.rows("select status from ops.runs where id = %s", made) == [("succeeded",)]
    return made


@contextmanager
def refreshes(world: World) -> Iterator[Refreshes]:
    with connect(world.url, autocommit=True, claims={"sub": "boss"}) as connection:
        yield Refreshes(connection)


def built(
    world: World, name: str, lines: int = 3, tolerance: Mapping[str, float] | None = None, spec: Pipeline | None = None
) -> UUID:
    """A refresh whose run has ended."""
    spec = spec or marts()
    before = len(world.rows("select 1 from ops.runs"))
    asked = RefreshAsked(
        spec.pipeline, spec.to_json(), spec_sha256(spec), "0" * 40, {"name": name, "lines": lines},
        new_phases(refreshed(spec)), 1, None,
    )  # fmt: skip
    with refreshes(world) as acting:
        found = acting.start(world.project_id, "dev", asked, tolerance)
    world.wait_until_finished(before + 1)
    return found


def state(world: World, refresh: UUID) -> str:
    with refreshes(world) as acting:
        return acting.find(world.project_id, "dev", str(refresh)).state


def read(world: World, version_of: Mapping[str, int | None] | None = None) -> dict[str, list[object]]:
    """Table → the names in it, at the versions that readers get."""
    if version_of is None:
        with connect(world.url, autocommit=True) as connection:
            version_of = {each.table: each.version for each in Reads(connection).datasets("dev")}
    lake = world.home / "lake/default/faults/dev/gold"
    return {
        one: pl.read_delta(str(lake / one.split(".")[1]), version=version_of[one]).sort("id")["name"].to_list()
        for one in TABLES
    }


@contextmanager
def reading(world: World) -> Iterator[list[str]]:
    """A reader that asks for both tables again and again; gives what it has seen, without repetitions in a row."""
    seen: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found = json.dumps(read(world))
            if seen[-1:] != [found]:
                seen.append(found)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be in time"
        time.sleep(0.02)


def both(*names: str) -> dict[str, list[object]]:
    return {one: list(names) for one in TABLES}


def test_readers_get_old_or_new_and_never_a_mixture_and_a_rollback_is_a_way_back(world: World) -> None:
    world.start_executor()
    run(world, marts(), "old")
    old, new = both("old", "old", "old"), both("new", "new", "new", "new")
    refresh = built(world, "new", lines=4)
    assert (state(world, refresh), read(world)) == ("built", old)
    kinds = world.rows("select kind from ops.run_phases p join ops.refreshes f using (run_id) order by ordinal")
    assert [kind for (kind,) in kinds] == ["transform", "transform", "validate", "compare", "compare"], (
        "nothing is published"
    )
    with reading(world) as seen, refreshes(world) as acting:
        until(lambda: bool(seen))
        acting.swap(refresh)
        acting.swap(refresh)
        until(lambda: len(seen) == 2)
        acting.roll_back(refresh, note="too new")
        acting.roll_back(refresh)
        until(lambda: len(seen) == 3)
    assert [json.loads(each) for each in seen] == [old, new, old]
    assert state(world, refresh) == "rolled back"
    with refreshes(world) as acting, pytest.raises(IllegalTransition, match="was rolled back"):
        acting.swap(refresh)
    # The next run merges into what readers have, and not into what was rolled back.
    run(world, marts(), "next", lines=1)
    assert read(world) == both("next", "old", "old")
    assert read(world, dict.fromkeys(TABLES, 1)) == new, "history is kept"
    acts = world.rows("select action, subject from ops.audit_log where starts_with(action, 'refreshes.') order by id")
    assert acts == [("refreshes.start", "boss"), ("refreshes.swap", "boss"), ("refreshes.roll_back", "boss")]


def test_who_runs_meanwhile_builds_on_what_readers_have_and_the_refresh_is_too_late(world: World) -> None:
    world.start_executor()
    run(world, marts(), "old")
    refresh = built(world, "new")
    run(world, marts(), "mine", lines=1)
    assert read(world) == both("mine", "old", "old")
    with refreshes(world) as acting:
        with pytest.raises(Conflict, match="readers have 3 by now"):
            acting.swap(refresh)
        with pytest.raises(IllegalTransition, match="was not swapped in"):
            acting.roll_back(refresh)
    assert read(world) == both("mine", "old", "old")


def test_what_came_upon_a_refresh_goes_with_it_only_if_somebody_says_so(world: World) -> None:
    world.start_executor()
    run(world, marts(), "old")
    refresh = built(world, "new")
    with refreshes(world) as acting:
        acting.swap(refresh)
        run(world, marts(), "mine", lines=1)
        assert read(world) == both("mine", "new", "new"), "after a swap runs build on the refresh"
        with pytest.raises(Conflict, match="has written version 2 of gold"):
            acting.roll_back(refresh)
        assert read(world) == both("mine", "new", "new")
        acting.roll_back(refresh, later=True)
    assert read(world) == both("old", "old", "old")
    run(world, marts(), "next", lines=1)
    assert read(world) == both("next", "old", "old")


def test_a_tolerance_swaps_in_what_lies_within_it_and_nothing_else(world: World) -> None:
    world.start_executor()
    run(world, marts(), "old", lines=4)
    beyond = built(world, "new", lines=3, tolerance={"rows": 0.2, "sums": 10})
    assert (state(world, beyond), read(world)) == ("built", both("old", "old", "old", "old"))
    within = built(world, "new", lines=3, tolerance={"rows": 0.25, "sums": 10})
    assert (state(world, within), read(world)) == ("swapped", both("new", "new", "new"))
    assert world.rows("select subject from ops.audit_log where action = 'refreshes.swap'") == [(None,)]


def test_a_refresh_that_fails_its_checks_leaves_everything_as_it_was(world: World) -> None:
    world.start_executor()
    run(world, marts(), "old")
    refresh = built(world, "new", spec=marts(least=1000))
    assert (state(world, refresh), read(world)) == ("failed", both("old", "old", "old"))
    with refreshes(world) as acting, pytest.raises(IllegalTransition, match="is not built"):
        acting.swap(refresh)
    run(world, marts(), "next", lines=1)
    assert read(world) == both("next", "old", "old")


def test_the_first_version_of_a_table_may_come_by_a_refresh_and_go_again(world: World) -> None:
    world.start_executor()
    refresh = built(world, "new")
    with refreshes(world) as acting:
        acting.swap(refresh)
        assert read(world) == both("new", "new", "new")
        acting.roll_back(refresh)
    assert world.rows("select version from ops.datasets where layer = 'gold'") == [(None,), (None,)]
    run(world, marts(), "next", lines=1)
    assert read(world) == both("next"), "a merge begins with an empty table"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_the_terminal(world: World) -> None:
    world.start_executor()
    spec = marts()
    (world.home / "marts.json").write_text(json.dumps(spec.to_json()))
    terminal = Terminal(world.home, world.url, {"CONTROLROOM_PROJECT": "faults"})
    run(world, spec, "old")
    started = terminal("dataset", "refresh", "start", "./marts.json", "-p", "name=new", "-p", "lines=4", "--json")
    assert started.code == 0, started.err
    refresh = str(started.json()["refresh_id"])  # type: ignore[index]
    world.wait_until_finished(2)
    shown = terminal("dataset", "refresh", "compare", refresh[:13], "--json").json()
    assert isinstance(shown, dict)
    [one, two] = shown["tables"]
    assert (one["table"], one["former"], one["version"], two["table"]) == ("gold.one", 0, 1, "gold.two")
    assert one["rows"] == {"before": 3, "after": 4, "share": pytest.approx(1 / 3)}
    assert one["keys"] == {"only_before": 0, "only_after": 1, "changed": 3}
    assert "rows only after" in terminal("dataset", "refresh", "compare", refresh).out
    assert terminal("dataset", "refresh", "swap", refresh, "--note", "looked at").out.strip() == "swapped"
    verified = terminal("run", "verify", str(shown["run_id"]), "--json")
    assert verified.code == 0, verified.out + verified.err
    rolled = terminal("dataset", "refresh", "rollback", refresh, "--json").json()
    assert isinstance(rolled, dict)
    assert rolled["state"] == "rolled back"
    listed = terminal("dataset", "refresh", "list", "--json").json()
    assert [each["state"] for each in listed] == ["rolled back"]  # type: ignore[attr-defined]


def test_what_cannot_be_made_anew_is_refused() -> None:
    with pytest.raises(BadInput, match="keeps a history"):
        refreshed(pipeline(table("one", "scd2")))
    daily = table("daily", "partition") | {"output": {"table": "gold.daily", "mode": "partition", "by": "day"}}
    spec = {
        "version": 1, "pipeline": "daily", "owner": "@tests", "params": {"day": {"type": "date"}},
        "partition": {"param": "day", "step": "day"}, "phases": [{**daily, "sql": "select * from seed"}],
    }  # fmt: skip
    with pytest.raises(BadInput, match="daily makes partitions; a backfill computes those anew"):
        refreshed(parse(json.dumps(spec)))
    own = pipeline(table("one", "merge", "gold.one") | {"inputs": {"seed": "gold.one"}})
    with pytest.raises(BadInput, match="reads the table that it writes"):
        refreshed(own)


@pytest.mark.slow
def test_an_owner_that_was_killed_is_followed_by_one_that_holds_the_refresh_too(world: World) -> None:
    slow = {"python": "tests.compute.work:sleep", "sql": None}
    first = {name: value for name, value in {**table("one", "merge"), **slow}.items() if value is not None}
    spec = pipeline(first, name="slow")
    world.start_executor()
    world.start_steward()
    before = world.submit(spec, {"seconds": 0})
    world.wait_until_finished(1)
    asked = RefreshAsked(
        "slow", spec.to_json(), spec_sha256(spec), "0" * 40, {"seconds": 2}, new_phases(refreshed(spec)), 5, None
    )
    with refreshes(world) as acting:
        refresh = acting.start(world.project_id, "dev", asked)
    [(building,)] = world.rows("select run_id from ops.refreshes")
    assert building != before
    world.wait_for_event(RunId(UUID(str(building))), "PHASE_STARTED", "one")
    killed = world.executors[0]
    killed.kill()
    killed.wait()
    world.start_executor()
    world.wait_until_finished(2)
    assert state(world, refresh) == "built"
    assert world.rows("select version, aside from ops.dataset_versions order by version") == [(0, False), (1, True)]
    assert world.rows("select version from ops.datasets where layer = 'gold'") == [(0,)]
    assert DeltaTable(str(Path(world.home, "lake/default/faults/dev/gold/one"))).version() == 1
