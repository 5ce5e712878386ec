"""Comparing: tables over runs, and differences between experiments and code versions."""

from .diffs import Diff, Difference, executions_diff, experiments_diff
from .runs import Score, best_group, runs_frame, summary_table, varying
from .tables import Cell, Table

__all__ = [
    "Cell",
    "Diff",
    "Difference",
    "Score",
    "Table",
    "best_group",
    "executions_diff",
    "experiments_diff",
    "runs_frame",
    "summary_table",
    "varying",
]
