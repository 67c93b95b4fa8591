"""Lineage told outward: a run's story becomes OpenLineage events, and the teller sends them.

Start reading at :mod:`compute.lineage.events` (pure) and :mod:`compute.lineage.teller` (the thread beside the steward).
Knows ``ops`` only, and neither Polars nor Delta: the steward's process stays small.
"""
