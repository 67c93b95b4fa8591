"""The ops schema: tables, policies and RPC functions as plain SQL; Alembic keeps the order of the revisions.

May import nothing of ours. Start at ``migrations/apply.py``, then ``sql/0001_pre_foundation.sql``.
"""
