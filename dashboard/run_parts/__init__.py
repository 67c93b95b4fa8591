"""The parts of a run's page, and choosing on the page of runs: each asks as the person at the page, lets a view make its
model, and draws it.

May import dashboard's views, data, actions and components. Begin with ``dashboard/app_pages/run.py``, which has their order.
"""
