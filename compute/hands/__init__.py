"""What carries phases out: warm child processes, or Ray tasks. One file each.

May import what compute may. The protocol is in ``compute/hand.py``.
"""
