"""Scores, weights and gates from the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from tests.controlroom.terminal import Answer, Terminal


def answered(answer: Answer) -> object:
    assert answer.code == 0, answer.err
    return answer.json()


def rows(answer: Answer) -> list[dict[str, object]]:
    return cast(list[dict[str, object]], answered(answer))


def test_a_score_is_shown_explained_and_tried_otherwise(terminal: Terminal, spec: str, people: Path) -> None:
    from ops.database import connect
    from ops.model import RunId
    from ops.rpc import Rpc

    assert people.exists()
    submitted = terminal("run", "submit", spec)
    assert submitted.code == 0, submitted.err
    run = submitted.out.split()[-1]
    assert terminal("score", "show", run).code == 3, "it has not ended"
    with connect(terminal.database_url, autocommit=True) as connection:
        rpc = Rpc(connection)
        [[run_id]] = connection.execute("select id from ops.runs").fetchall()
        rpc.cancel_run(RunId(run_id), "tested")
        rpc.compute_run_score(RunId(run_id))
    shown = cast(dict[str, object], answered(terminal("score", "show", run, "--json")))
    assert shown["sentence"] == f"{float(str(shown['score'])):.0f} of 100: the run was canceled"
    said = terminal("score", "show", run)
    assert "the run was canceled" in said.out.splitlines()[0]
    assert "outcome" in said.out
    assert "the run was canceled" in terminal("run", "show", run).out
    tried = cast(dict[str, object], answered(terminal("score", "what-if", run, "--weight", "outcome=0", "--json")))
    assert float(str(tried["score"])) == 100
    wrong = terminal("score", "what-if", run, "--weight", "outcome")
    assert (wrong.code, "write SIGNAL=NUMBER" in wrong.err) == (2, True)
    [row] = rows(terminal("score", "trend", "ages", "--json"))
    assert (row["status"], row["sentence"]) == ("canceled", shown["sentence"])


def test_weights_and_gates_are_set_and_listed(terminal: Terminal) -> None:
    assert terminal("score", "weights", "set", "retries", "33", "--half-at", "4").code == 0
    weights = {row["signal"]: row for row in rows(terminal("score", "weights", "list", "--json"))}
    assert (weights["retries"]["weight"], weights["retries"]["half_at"]) == (33, 4)
    unknown = terminal("score", "weights", "set", "luck", "1")
    assert (unknown.code, "known are" in unknown.err) == (3, True)
    assert terminal("score", "gate", "set", "prod", "90").code == 0
    assert terminal("score", "gate", "set", "prod", "95", "--pipeline", "ages").code == 0
    gates = [(row["pipeline"], row["min_score"]) for row in rows(terminal("score", "gate", "list", "--json"))]
    assert gates == [(None, "90.00"), ("ages", "95.00")]
    assert terminal("score", "gate", "remove", "prod").code == 0
    assert len(rows(terminal("score", "gate", "list", "--json"))) == 1
