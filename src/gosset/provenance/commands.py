"""Who started this process, where, and by which command line."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import sys
from pathlib import Path

from .redaction import redact_arguments

_SCHEDULER_VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_CLUSTER_NAME",
    "PBS_JOBID",
    "LSB_JOBID",
    "JOB_ID",
)


def command_line() -> str:
    """Return the command line of this process as one would type it, secrets masked.

    The interpreter is given by its name alone, and left out before an installed command.
    """
    arguments = list(sys.orig_argv) or [sys.executable, *sys.argv]
    program, *rest = arguments
    if rest and _is_installed_command(rest[0]):
        program, *rest = rest
    return shlex.join(redact_arguments([Path(program).name or "python", *rest]))


def user() -> str:
    """Return the name of the user, or the user's number where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def host() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def scheduler() -> dict[str, str]:
    """Return the variables by which a cluster's scheduler names the job that this is.

    They differ from job to job, and so are no part of the environment.
    """
    return {name: os.environ[name] for name in _SCHEDULER_VARIABLES if os.environ.get(name)}


def _is_installed_command(argument: str) -> bool:
    path = Path(argument)
    return not path.suffix and path.is_absolute() and path.parent == Path(sys.executable).parent
