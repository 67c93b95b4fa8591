"""Who does the work: the executor loop, its hands (processes or Ray tasks), the Ray fleet, the steward.

May import ops, pipelines and superset. Start at ``compute/executor.py``, then ``run_life.py``: a run's life, top to bottom.
"""
