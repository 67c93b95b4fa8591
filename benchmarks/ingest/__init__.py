"""The ingest benchmark: journal items into bronze, beside a COPY drain that throws the bytes away.

May import every folder. Start at ``benchmarks/ingest/compare.py``.
"""
