"""What users declare, compiled to stages: one room for each kind of experiment."""

from .base import Blueprint, Translation
from .estimator import compile_estimator
from .stages import compile_stages, compile_steps

__all__ = [
    "Blueprint",
    "Translation",
    "compile_estimator",
    "compile_stages",
    "compile_steps",
]
