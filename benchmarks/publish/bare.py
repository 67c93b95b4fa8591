"""A process that sends a frame by binary COPY into a new table, and does nothing else: what publishing cannot be quicker than.

Arguments: the database's URL, a Parquet file of the frame, the postmaster's pid.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import polars as pl
import psycopg
from pgpq import ArrowToPostgresBinaryEncoder

from benchmarks.measure import Meter, own_peak_bytes

BATCH_ROWS = 65_536
CREATE = """
create table bare (
  id bigint, company_id integer, partner text, account text, posted_at timestamptz, quantity double precision,
  is_open boolean, debit numeric, credit numeric, balance numeric, residual numeric, day date
)
"""


def main(url: str, file: str, postmaster: int) -> None:
    frame = pl.read_parquet(file)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop table if exists bare")
        meter = Meter(postmaster)
        batches = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches(BATCH_ROWS)
        encoder = ArrowToPostgresBinaryEncoder(batches[0].schema)
        with connection.transaction():
            connection.execute(CREATE)
            with connection.cursor().copy("copy bare from stdin (format binary)") as copy:
                copy.write(encoder.write_header())
                for batch in batches:
                    copy.write(encoder.write_batch(batch))
                copy.write(encoder.finish())
        cost = replace(meter.read(), peak_bytes=own_peak_bytes())
        rows = connection.execute("select count(*) from bare").fetchone()
    assert rows == (frame.height,)
    print(json.dumps({"rows": frame.height}))
    print(cost.to_json())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
