"""Gosset: define an experiment in plain Python, run it anywhere, trust the comparison."""
