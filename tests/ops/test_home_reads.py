"""What the first page asks."""

from __future__ import annotations

from ops.database import AUTHENTICATED, Connection, Pool, acting_as, at_once
from ops.embedded import Cluster
from ops.home_reads import Home
from ops.model import RunId
from tests.operating import Operator


def _failed(operator: Operator, **changes: object) -> RunId:
    operator.queue(None, **changes)
    run = operator.claim()
    operator.executor.start_run(run.run_id, run.lease_token)
    operator.executor.fail_run(run.run_id, run.lease_token, "CHECK_FAILED", "3 nulls")
    return run.run_id


def test_a_pipeline_fails_where_its_last_run_did(operator: Operator, connection: Connection) -> None:
    home = Home(connection)
    _failed(operator)
    mended = operator.succeeded()
    assert home.failing(5) == []
    again = _failed(operator)
    elsewhere = _failed(operator, pipeline="elsewhere")
    other = _failed(operator, pipeline="other")
    # One for each pipeline, the latest first; what ran well elsewhere mends nothing here.
    assert home.failing(5) == [other, elsewhere, again]
    assert home.failing(1) == [other]
    operator.queue(None, pipeline="elsewhere")
    assert home.failing(5) == [other, again]
    assert mended not in home.failing(5)


def test_one_message_asks_as_somebody_and_leaves_nothing_behind(cluster: Cluster, connection: Connection) -> None:
    with Pool(cluster.login_url(connection.info.dbname), max_size=1) as pool, pool.connection() as lent:
        asked = "select current_user::text, current_setting('request.jwt.claims', true), '100%%'"
        assert at_once(lent, asked, AUTHENTICATED, {"sub": "o'hara"}) == [
            (AUTHENTICATED, '{"sub": "o\'hara"}', "100%")
        ]  # fmt: skip
        row = lent.execute("select current_user, current_setting('request.jwt.claims', true)").fetchone()
        assert row is not None
        assert row[0] != AUTHENTICATED
        assert not row[1]
        with acting_as(lent, AUTHENTICATED, {"sub": "ann"}) as ann:
            assert ann.execute("select current_user").fetchone() == (AUTHENTICATED,)
