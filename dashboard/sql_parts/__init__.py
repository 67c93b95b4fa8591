"""The parts of the page of SQL: where it is written, how a question stands, its answer, what was asked before.

May import dashboard's views, data, actions and components.
"""
