"""What Alembic runs: it is handed an open connection by :func:`migrations.apply.migrate`."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="schema_revision", version_table_schema="private")
with context.begin_transaction():
    context.run_migrations()
