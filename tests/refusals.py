"""Carry out a command to which the system refuses what it would refuse elsewhere.

``refusals.py full SIZE COMMAND``
    As on a full disk: no file takes more than SIZE bytes at once.
``refusals.py read-only COMMAND``
    As on a disk that is mounted read-only: nothing is made, changed, renamed or removed.
``refusals.py permissions COMMAND``
    As for anybody but root: permissions count.

The kernel itself refuses, so the command, what it starts and the libraries in C in them meet the
errors that they would meet there. No privileges are needed: a process may always give up its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Sequence

Condition = tuple[int, int, int]  # number of the argument, comparison, value
Rule = tuple[str, Sequence[Condition]]

_GREATER, _ANY_BIT = 0x25, 0x45
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000

# The audit architecture and the numbers of the system calls on it; a name that is missing has none.
_MACHINES = {
    "x86_64": (
        0xC000003E,
        {"write": 1, "pwrite64": 18, "fallocate": 285, "open": 2, "openat": 257, "mkdir": 83}
        | {"mkdirat": 258, "unlink": 87, "unlinkat": 263, "rmdir": 84, "rename": 82}
        | {"renameat": 264, "renameat2": 316, "utimensat": 280, "ftruncate": 77},
    ),
    "aarch64": (
        0xC00000B7,
        {"write": 64, "pwrite64": 68, "fallocate": 47, "openat": 56, "mkdirat": 34, "unlinkat": 35}
        | {"renameat": 38, "renameat2": 276, "utimensat": 88, "ftruncate": 46},
    ),
}

_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _BOUND_READ, _BOUND_DROP = 38, 22, 23, 24
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


def full(size: int) -> list[Rule]:
    """Return the rules of a disk with `size` bytes left; the standard streams are not on it."""
    file = (0, _GREATER, 2)
    return [
        ("write", [file, (2, _GREATER, size)]),
        ("pwrite64", [file, (2, _GREATER, size)]),
        ("fallocate", [file, (3, _GREATER, size)]),
    ]


def read_only() -> list[Rule]:
    """Return the rules of a disk that cannot be written."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    opening: list[Rule] = [
        ("open", [(1, _ANY_BIT, writing)]),
        ("openat", [(2, _ANY_BIT, writing)]),
    ]
    changing = ["mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "ftruncate", "utimensat"]
    renaming = ["rename", "renameat", "renameat2"]
    return opening + [(name, []) for name in changing + renaming]


def refuse(rules: Sequence[Rule], error: int) -> None:
    """Let system calls to which a rule applies fail with `error`, from now on and in children."""
    architecture, numbers = _MACHINES[platform.machine()]
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _ALLOW)]
    for name, conditions in rules:
        if name not in numbers:
            continue
        steps = [(0, _EQUAL, numbers[name])]
        steps += [(16 + 8 * argument, *rest) for argument, *rest in conditions]  # type: ignore[misc]
        left = 2 * len(steps) + 1
        for offset, comparison, value in steps:
            left -= 2
            program += [(_LOAD, 0, 0, offset), (comparison, 0, left, value)]
        program.append((_RETURN, 0, 0, _REFUSE | error))
    program.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)
    _prctl(_SET_FILTER, 2, struct.pack("@HP", len(program), ctypes.addressof(code)))


def give_up_overriding() -> None:
    """Let permissions hold back the commands that this process turns into."""
    for capability in _OVERRIDES:
        if os.geteuid() == 0 and _prctl(_BOUND_READ, capability):
            _prctl(_BOUND_DROP, capability)


def _prctl(option: int, *values: int | bytes) -> int:
    wide = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in values]
    wide += [ctypes.c_ulong(0)] * (4 - len(wide))
    result = int(ctypes.CDLL(None, use_errno=True).prctl(option, *wide))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main(way: str, *command: str) -> None:
    """Give up what `way` says, then turn into the command."""
    if way == "full":
        size, *command = command  # type: ignore[assignment]
        refuse(full(int(size)), errno.ENOSPC)
    elif way == "read-only":
        refuse(read_only(), errno.EROFS)
    else:
        give_up_overriding()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
