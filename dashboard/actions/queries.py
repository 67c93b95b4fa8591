"""Questions in SQL: ask, cancel, save an answer, in the name of the person who asks."""

from __future__ import annotations

from collections.abc import Mapping

from dashboard.data.source import asking, person, rpc
from ops.model import RunId, Scope
from ops.query_reads import QueryPage
from ops.warehouse import Question, Warehouse
from pipelines.sandbox.door import check
from pipelines.sandbox.job import EMBEDDED


def ask(scope: Scope, sql: str, params: Mapping[str, object], engine: str = EMBEDDED) -> RunId:
    """Queues a question.

    Raises:
        BadInput: the gate refuses the SQL; said before anything is queued.
        CapExceeded: too many of the person's have not ended.
        NotFound: no such project or environment, or none of the person's.
        NotAllowed: the engine is a server's and the person no editor.
    """
    check(sql, engine)
    with asking() as connection:
        return Warehouse(connection).submit(scope, Question(sql, params, engine))


def cancel(run_id: RunId) -> str:
    """Stops it; one's own, or as an operator anybody's. Raises NotAllowed."""
    with rpc() as calling:
        return calling.cancel_run(run_id, f"canceled from the page by {person().name}")


def save(run_id: RunId, name: str) -> None:
    """Gives its answer a name. Raises NotAllowed, BadInput, IllegalTransition."""
    with asking() as connection:
        QueryPage(connection).save(run_id, name)
