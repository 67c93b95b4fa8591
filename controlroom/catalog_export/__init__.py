"""The catalog in the forms that other catalogs take in: pure functions from a snapshot to text, one file a catalog.

May import everything, as all of ``controlroom``. Start reading at :mod:`controlroom.catalog_export.snapshot`.
"""
