"""The gate: what must be true of the repository itself. May import everything. Start reading at ``test_bundle.py``."""
