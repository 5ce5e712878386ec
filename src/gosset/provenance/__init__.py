"""Where results come from: code version, environment, command line, user and host.

Each name is loaded when it is first used: a script that is tracked needs few of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code import CodeVersion as CodeVersion
    from .code import code_version as code_version
    from .commands import command_line as command_line
    from .commands import host as host
    from .commands import scheduler as scheduler
    from .commands import user as user
    from .environments import environment as environment
    from .environments import packages as packages
    from .redaction import redact as redact
    from .redaction import redact_arguments as redact_arguments
    from .redaction import redact_url as redact_url

_HOMES = {
    "CodeVersion": "code",
    "code_version": "code",
    "command_line": "commands",
    "environment": "environments",
    "host": "commands",
    "packages": "environments",
    "redact": "redaction",
    "redact_arguments": "redaction",
    "redact_url": "redaction",
    "scheduler": "commands",
    "user": "commands",
}

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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
