"""Where rows come from: the protocol in ``source.py``, one file for each kind of upstream.

May import ``pipelines.contract``, ``pipelines.columns`` and ``ops.errors``. Start reading in ``source.py``.
"""
