"""The Odoo side of the lake: the connection contract, silver, the gold marts, and a generator of Odoo-shaped data.

May import: pipelines.contract, ops.errors, ops.model. Start reading at contract.yaml, then silver.py.
"""
