"""The front door: the ``controlroom`` command, the local stack behind ``up`` and ``down``, the demo.

May import everything of ours. Start reading at ``cli.py``; each command group is one file of ``commands/``.
"""
