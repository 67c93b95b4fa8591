"""Promises under attack, on real processes: kill -9, SIGSTOP, a database that restarts, executors that race."""
