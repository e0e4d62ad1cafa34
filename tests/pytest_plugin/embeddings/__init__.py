"""Example projects for the pytest plugin."""
