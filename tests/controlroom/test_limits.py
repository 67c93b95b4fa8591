"""Caps, pools and prices from the terminal, and what a run's page says of what it used and waits for."""

from __future__ import annotations

from typing import cast

from tests.controlroom.terminal import Answer, Terminal


def rows(answer: Answer) -> list[dict[str, object]]:
    assert answer.code == 0, answer.err
    return cast(list[dict[str, object]], answer.json())


def done(terminal: Terminal, *arguments: str) -> None:
    answer = terminal(*arguments)
    assert answer.code == 0, answer.err


def test_caps_are_set_used_and_removed(terminal: Terminal, spec: str) -> None:
    done(terminal, "cap", "set", "nightly", "1", "--per", "concurrent")
    done(terminal, "cap", "set", "cpu", "3600.5", "--unit", "cpu_seconds", "--per", "month", "--org")
    done(terminal, "cap", "set", "ages", "9", "--pipeline", "ages")
    listed = [
        (row["key"], row["project"], row["pipeline"], row["amount"]) for row in rows(terminal("cap", "list", "--json"))
    ]
    assert listed == [("ages", "demo", "ages", "9"), ("cpu", None, None, "3600.5"), ("nightly", "demo", None, "1")]
    wrong = terminal("cap", "set", "nightly", "NaN")
    assert (wrong.code, "write a number" in wrong.err) == (2, True)
    from ops.database import connect

    with connect(terminal.database_url, autocommit=True) as connection:
        connection.execute("insert into ops.cap_usage (cap_id, amount) select id, 900 from ops.caps where key = 'cpu'")
    usage = terminal("cap", "usage")
    [line] = [line.split() for line in usage.out.splitlines() if line.startswith("cpu ")]
    # A quarter in the first moments of the cap: going on so, it does not last the month.
    assert line[:8] == ["cpu", "cpu_seconds", "900", "3,600.5", "25", "%", "month", "in"], usage.out
    [forecast] = [row["used_up_at"] for row in rows(terminal("cap", "usage", "--json")) if row["key"] == "cpu"]
    assert forecast is not None
    done(terminal, "cap", "remove", "cpu")
    assert terminal("cap", "remove", "cpu").code == 3


def test_a_run_says_which_pool_it_waits_for(terminal: Terminal, tmp_path: object) -> None:
    from pathlib import Path

    from tests.controlroom.conftest import SPEC

    assert isinstance(tmp_path, Path)
    (tmp_path / "pooled.yaml").write_text(SPEC.replace("params:", "pool: [{name: source, slots: 2}]\nparams:"))
    done(terminal, "pool", "set", "source", "1")
    run = terminal("run", "submit", "./pooled.yaml").out.strip()
    assert "waits: no executor is at work" in terminal("run", "show", run).out
    from ops.database import connect
    from ops.rpc import Rpc

    with connect(terminal.database_url, autocommit=True) as connection:
        import uuid

        Rpc(connection).register_executor(uuid.uuid4(), "tester")
    assert "waits: pool source has 1 slots, the run needs 2: give the pool more" in terminal("run", "show", run).out
    done(terminal, "pool", "set", "source", "2")
    assert "waits: it is the next" in terminal("run", "show", run).out
    [pool] = rows(terminal("pool", "list", "--json"))
    assert (pool["name"], pool["slots"], pool["used"], pool["project"]) == ("source", 2, 0, "demo")
    done(terminal, "pool", "remove", "source")
    assert rows(terminal("pool", "list", "--json")) == []


def test_a_run_says_what_it_used_and_cost(terminal: Terminal, spec: str, people: object) -> None:
    assert people is not None
    done(terminal, "price", "set", "cpu_second", "0.02", "EUR")
    done(terminal, "price", "set", "cpu_second", "5", "EUR", "--from", "2099-01-01")
    assert terminal("price", "set", "gb_read", "1", "USD").code == 1
    [now, later] = rows(terminal("price", "list", "--json"))
    assert (now["price"], later["price"], now["valid_until"]) == ("0.02", "5", later["valid_from"])
    assert "2099-01-01 00:00 UTC" in terminal("price", "list").out
    executor = terminal.start("executor", "--slots", "1")
    try:
        watched = terminal("run", "submit", spec, "--watch")
        assert watched.code == 0, watched.out + watched.err
    finally:
        executor.kill()
        executor.communicate()
    run = watched.out.split()[0]
    shown = cast(dict[str, object], terminal("run", "show", run, "--json").json())
    [used] = cast(list[dict[str, object]], shown["usage"])
    from decimal import Decimal

    cpu = Decimal(str(used["cpu_seconds"]))
    assert cpu > 0
    assert Decimal(str(used["cost"])) == cpu * Decimal("0.02")
    said = terminal("run", "show", run).out
    assert "in all" in said
    assert "EUR" in said
    assert "waits:" not in said
