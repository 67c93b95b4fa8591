"""BI: publishing gold to Apache Superset over its REST API. Apache Superset itself is never installed beside this package.

May import ``ops`` and ``pipelines.spec``.
"""
