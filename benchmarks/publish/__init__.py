"""The publish benchmark: a mart into Postgres, beside a bare binary COPY of the same frame.

May import every folder. Start at ``benchmarks/publish/compare.py``.
"""
