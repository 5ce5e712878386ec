"""Parameters: spaces, the sets they stand for, and how people write them."""

from .options import parse_option
from .spaces import Parameters, expand, flatten, grid, group_digest, override
from .values import Fixed, fixed, jsonable

__all__ = [
    "Fixed",
    "Parameters",
    "expand",
    "fixed",
    "flatten",
    "grid",
    "group_digest",
    "jsonable",
    "override",
    "parse_option",
]
