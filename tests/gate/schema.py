"""``python -m tests.gate.schema``: writes everything that is made from the schema, from a fresh database of its own."""

from __future__ import annotations

import uuid

from controlroom.openapi import DOCUMENT, text
from migrations.apply import migrate
from migrations.snapshot import SNAPSHOT, dump
from migrations.supabase import main
from tests.postgres import Databases, session_cluster

if __name__ == "__main__":
    with session_cluster(uuid.uuid4().hex[:12]) as cluster, Databases(cluster).clone("template0") as url:
        migrate(url)
        SNAPSHOT.write_text(dump(url))
        DOCUMENT.write_text(text(url))
    main([])
