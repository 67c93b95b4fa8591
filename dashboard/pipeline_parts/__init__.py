"""The parts of a pipeline's page that do something: its backfills and its refreshes.

May import dashboard's views, data, actions and components. A run's page opens the form of a backfill too.
"""
