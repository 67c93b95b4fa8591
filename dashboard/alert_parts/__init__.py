"""The parts of the page of alerts by which rules, channels and the routing matrix are changed.

May import dashboard's views, data, actions and components.
"""
