"""Runs and series in the forms in which people work with them."""

from .pages import store_html
from .runs import Runs
from .series import Series, read_series
from .values import ValueReader

__all__ = ["Runs", "Series", "ValueReader", "read_series", "store_html"]
