"""The parts of the page of caps by which admins change limits.

May import dashboard's views, data, actions and components.
"""
