"""Tests of the Odoo contract, generator, silver and gold; may import everything. Start at test_marts.py."""
