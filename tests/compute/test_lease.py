"""The thread that renews leases."""

from __future__ import annotations

import time

from compute.lease import Lease, Renewer
from ops.database import Connection
from ops.model import LeaseToken, RunId
from tests.operating import Operator

LEASE_SECONDS = 30.0


def lease(run_id: RunId, token: LeaseToken) -> Lease:
    return Lease(
        run_id, token, time.monotonic() + LEASE_SECONDS, lost=lambda: None, canceled=lambda: None, capped=print
    )


def test_the_end_of_a_former_life_does_not_end_the_renewal_of_the_next(
    operator: Operator, connection: Connection
) -> None:
    """An executor loses a run, claims it again, and only then does the thread of the first life come to its end."""
    former = lease(*operator.running())
    connection.execute("update ops.run_leases set expires_at = clock_timestamp()")
    assert operator.owner.requeue_stale_runs() == 1
    again = operator.claim(lease_seconds=LEASE_SECONDS / 2)
    assert again.run_id == former.run_id
    renewer = Renewer(operator.executor, operator.executor_id, LEASE_SECONDS, lambda: None)
    renewer.add(former)
    renewer.add(lease(again.run_id, again.lease_token))
    renewer.remove(former)
    renewer.start()
    renewer.nudge()
    until = time.monotonic() + 10
    while not renewed(connection, again.lease_token):
        assert time.monotonic() < until, "the new lease is not renewed"
        time.sleep(0.02)
    renewer.close()


def renewed(connection: Connection, token: LeaseToken) -> bool:
    query = "select expires_at > clock_timestamp() + interval '20 s' from ops.run_leases where lease_token = %s"
    return connection.execute(query, [token]).fetchone() == (True,)
