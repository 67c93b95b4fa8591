"""One revision a file of SQL, in order; the SQL is the source. Start at ``migrations/apply.py``."""
