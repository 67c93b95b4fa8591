"""What row-level security costs: listings and a text search by members of one, a few and all projects."""
