"""One file a phase kind: ``handle(context, phase) → result``.

May import pipelines and ops.errors, ops.model. The protocol is in ``pipelines/handler.py``, the names in ``registry.py``.
"""
