"""Tests of executors, the steward and the fleet: real processes, a real Ray of two nodes, real Postgres and Delta."""
