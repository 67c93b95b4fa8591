"""The parts of the Odoo-shaped data generator: an invented trading group and its books.

May import: pipelines.odoo, pipelines.contract, ops.errors. Start reading at pipelines/odoo/generator.py, then books.py.
"""
