"""Roles and claims: taken for a connection or a transaction, in one round trip, and gone afterwards."""

from __future__ import annotations

import psycopg
import pytest

from ops.database import acting_as, connect, with_database
from ops.embedded import Cluster
from ops.errors import DatabaseUnavailable
from ops.jsonable import jsonb
from ops.translation import translated

WHO = "select current_user, current_setting('request.jwt.claims', true)"
CLAIMS = {"sub": "a b", "name": 'O\'Neil \\ "quoted"', "org": "ü"}


def test_a_connection_has_its_role_and_claims_from_the_first_moment(cluster: Cluster) -> None:
    with connect(cluster.url("postgres"), "pg_read_all_data", CLAIMS, autocommit=True) as connection:
        assert connection.execute(
            "select current_user, current_setting('request.jwt.claims')::jsonb = %s", [jsonb(CLAIMS)]
        ).fetchone() == (
            "pg_read_all_data",
            True,
        )


def test_a_role_for_a_transaction_ends_with_it(cluster: Cluster) -> None:
    with connect(cluster.url("postgres"), autocommit=True) as connection:
        with acting_as(connection, "pg_read_all_data", {"sub": "1"}) as acting:
            assert acting.execute(WHO).fetchone() == ("pg_read_all_data", '{"sub": "1"}')
        assert connection.execute(WHO).fetchone() == ("controlroom", "")
        with pytest.raises(ZeroDivisionError), acting_as(connection, "pg_read_all_data"):
            raise ZeroDivisionError
        assert connection.execute("select current_user").fetchone() == ("controlroom",)


def test_an_idle_transaction_is_ended_by_the_server(cluster: Cluster) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="idle"),
        connect(cluster.url("postgres"), idle_seconds=0.2) as connection,
        translated(),
    ):
        connection.execute("select 1")
        with psycopg.connect(cluster.url("postgres")) as other:
            other.execute("select pg_sleep(0.6)")
        connection.execute("select 1")


def test_the_databases_name_can_be_changed_in_any_url(cluster: Cluster) -> None:
    for tcp in (True, False):
        url = with_database(cluster.url("controlroom", tcp=tcp), "postgres")
        with connect(url) as connection:
            assert connection.info.dbname == "postgres"
