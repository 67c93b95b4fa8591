"""What a run does: specs, phase handlers, the lake, checks, fingerprints, sources and the reference pipelines.

May import ops.errors and ops.model only. Start at ``pipelines/handler.py``, then ``spec.py`` and ``commit.py``.
"""
