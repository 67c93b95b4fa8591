"""A process that reads a table by binary COPY and throws the bytes away: no reader of it can be quicker.

Arguments: the database's URL, the table, the postmaster's pid.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import psycopg
from psycopg import sql

from benchmarks.measure import Meter, own_peak_bytes


def main(url: str, table: str, postmaster: int) -> None:
    total = 0
    with psycopg.connect(url) as connection:
        meter = Meter(postmaster)
        query = sql.SQL("copy {} to stdout (format binary)").format(sql.Identifier(table))
        with connection.cursor().copy(query) as copy:
            for data in copy:
                total += len(data)
        cost = replace(meter.read(), peak_bytes=own_peak_bytes())
    print(json.dumps({"bytes": total}))
    print(cost.to_json())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
