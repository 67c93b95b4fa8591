"""Tests of the page: views without anything, pages in a real browser on a real server and a real Postgres."""
