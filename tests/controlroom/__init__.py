"""The front door's promises, by real processes. Start reading at ``test_runs.py``."""
