"""Promises of the benchmarks' own parts, and one quick run of each comparison.

May import every folder. Start at ``test_smoke.py``.
"""
