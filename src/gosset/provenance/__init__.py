"""Where results come from: code version, environment, command line, user and host."""

from .code import CodeVersion, code_version
from .commands import command_line, host, scheduler, user
from .environments import environment, packages
from .redaction import redact, redact_arguments, redact_url

__all__ = [
    "CodeVersion",
    "code_version",
    "command_line",
    "environment",
    "host",
    "packages",
    "redact",
    "redact_arguments",
    "redact_url",
    "scheduler",
    "user",
]
