"""Comparing: tables over runs, and differences between experiments and code versions."""

from .diffs import Diff, Difference, executions_diff, experiments_diff
from .runs import runs_frame, summary_table, varying
from .tables import Cell, Table

__all__ = [
    "Cell",
    "Diff",
    "Difference",
    "Table",
    "executions_diff",
    "experiments_diff",
    "runs_frame",
    "summary_table",
    "varying",
]
