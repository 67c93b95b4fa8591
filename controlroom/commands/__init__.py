"""One file for each command group; nothing heavy is imported before a command runs, so that --help is quick.

May import everything of ours. Start reading at ``run.py``.
"""
