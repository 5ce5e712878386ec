"""Stores that give to each other: directly, or by a file that holds some of their runs."""

from __future__ import annotations

from .files import read as read
from .files import write as write
from .uniting import united as united

__all__ = ["read", "united", "write"]
