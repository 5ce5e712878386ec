"""Estimators: configured by dotted names, fitted on a fold, evaluated row by row."""

from .configure import check_parameters, configure, parameter_names, takes
from .evaluate import evaluate
from .fit import fit
from .functions import FunctionEstimator, check_evaluator
from .introspect import as_json, describe, hyperparameters, kind_of, name_of, task_of
from .record import results_record

__all__ = [
    "FunctionEstimator",
    "as_json",
    "check_evaluator",
    "check_parameters",
    "configure",
    "describe",
    "evaluate",
    "fit",
    "hyperparameters",
    "kind_of",
    "name_of",
    "parameter_names",
    "results_record",
    "takes",
    "task_of",
]
