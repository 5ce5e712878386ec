"""Metrics: stages over results, found by name, with all that they need."""

from .builtin import KnownMetric
from .catalogue import Resolved, available, defaults, resolve
from .declaration import metric
from .results import PARTS, TASKS
from .views import in_part, results_views

__all__ = [
    "PARTS",
    "TASKS",
    "KnownMetric",
    "Resolved",
    "available",
    "defaults",
    "in_part",
    "metric",
    "resolve",
    "results_views",
]
