"""SQL from people: a gate that reads the text before any engine does, and a confined process that carries it out.

May import ops.errors, ops.model and Polars. Start at ``gate.py`` (what is admitted), then ``process.py`` (where it runs) and
``engines.py`` (by whom).
"""
