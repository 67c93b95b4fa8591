"""Tests, by folder of the house; ``faults`` and ``e2e`` beside them. May import everything.

Fixtures, one for each real thing, are in :mod:`tests.conftest`."""
