"""Runs and series in the forms in which people work with them."""
