"""Everybody tries everything of everybody else's, at every door."""
