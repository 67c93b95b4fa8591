"""Tests of the schema itself: who may do what, how it is installed and upgraded, what its RPCs promise, what plans they get."""
