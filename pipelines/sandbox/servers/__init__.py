"""Engines that are servers somewhere else: who is asked, in which words, and what comes back as a frame.

May import ops.errors and what ``pipelines.sandbox`` has. Start at ``statement.py`` (what may be asked), then ``postgres.py``
and ``trino.py``.
"""
