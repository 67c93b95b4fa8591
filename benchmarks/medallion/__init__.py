"""The medallion benchmark: the reference pipelines end to end, beside a bare Polars script that makes the same tables.

May import every folder. Start at ``benchmarks/medallion/compare.py``.
"""
