"""The queue benchmark: claim → complete, beside bare pgbench, procrastinate and pgqueuer in one run.

May import every folder. Start at ``benchmarks/queue/compare.py``.
"""
