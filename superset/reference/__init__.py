"""What the shipped marts look like in Superset."""
