"""Tests of the Python face of the ops schema, on real Postgres and a real S3 API. Start with test_embedded."""
