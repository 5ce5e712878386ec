"""Comparing: tables over runs, and differences between experiments and code versions."""

from .best import Objective, best_group, best_row, first_objective, objective_of
from .diffs import Diff, Difference, executions_diff, experiments_diff
from .runs import Score, fold_counts, runs_frame, summary_table, varying
from .tables import Cell, Table

__all__ = [
    "Cell",
    "Diff",
    "Difference",
    "Objective",
    "Score",
    "Table",
    "best_group",
    "best_row",
    "executions_diff",
    "experiments_diff",
    "first_objective",
    "fold_counts",
    "objective_of",
    "runs_frame",
    "summary_table",
    "varying",
]
