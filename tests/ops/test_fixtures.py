"""The fixtures themselves: what the other tests stand on."""

from __future__ import annotations

import httpx
import psycopg
import pytest

from tests.storage import S3


def test_an_empty_database_is_empty_and_utf8(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        encoding = connection.execute("select current_setting('server_encoding'), lower('ÄÉ')").fetchone()
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
    assert encoding == ("UTF8", "äé")
    assert tables == (0,)


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_database_is_nobody_elses(database: str, attempt: int) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table public.mine (id int)")


def test_the_odoo_database_has_rows_and_cannot_be_written(odoo_database: str) -> None:
    with psycopg.connect(odoo_database, autocommit=True) as connection:
        assert connection.execute("select count(*) from sale_order").fetchone() == (30,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("delete from sale_order_line")


def test_an_odoo_clone_can_be_written(odoo_clone: str) -> None:
    with psycopg.connect(odoo_clone) as connection:
        assert connection.execute("delete from sale_order_line").rowcount == 77


def test_s3_answers_over_http(s3: S3) -> None:
    bucket = s3.bucket().removeprefix("s3://")
    assert httpx.head(f"{s3.endpoint}/{bucket}", trust_env=False).status_code == 200
