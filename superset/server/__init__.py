"""Apache Superset's own side: what runs in its virtual environment, and how we start it. Never imported there as a package."""
