"""The command line: a thin face, one file for each group of commands.

A command parses, calls one method, renders. Nothing heavy is imported before a command
is carried out, so that ``--help`` and completion answer at once.
"""

from .main import main

__all__ = ["main"]
