"""A world in which executors are processes, as the fault tests have it."""

from tests.faults.conftest import world

__all__ = ["world"]
