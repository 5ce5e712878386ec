"""Print ``name==version`` of everything that this environment has of ``gosset[dev]``.

Requirements are followed for every supported Python and system, so that what only one of
them needs is pinned, too, where it is installed here. Run by ``make constraints``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEADER = """\
# The versions that the tests ran with. Made by `make constraints`; used by every
# `make` target that installs. Names and versions only: where they come from is pip's business."""

ENVIRONMENTS = [
    {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}
    for python in ("3.11", "3.12", "3.13")
    for system in ("linux", "darwin", "win32")
]


def needed(requirement: Requirement, extras: set[str]) -> bool:
    """Whether `requirement` holds in any supported environment, with any of `extras`."""
    return requirement.marker is None or any(
        requirement.marker.evaluate({**environment, "extra": extra})
        for environment in ENVIRONMENTS
        for extra in extras or {""}
    )


def closure(start: Requirement) -> Iterator[tuple[str, str]]:
    """Iterate over name and version of `start` and of all that it needs."""
    waiting = [start, Requirement("hatchling")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        if extras <= {extra for seen_name, extra in seen if seen_name == name}:
            continue
        seen |= {(name, extra) for extra in extras}
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        # A build for one kind of machine ("2.13.0+cpu") stands for the version itself.
        yield name, installed.version.partition("+")[0]
        parsed = map(Requirement, installed.requires or ())
        waiting.extend(other for other in parsed if needed(other, extras))


def main() -> None:
    """Print the constraints."""
    pinned = dict(closure(Requirement("gosset[dev]")))
    pinned.pop("gosset", None)
    lines = [f"{name}=={version}" for name, version in sorted(pinned.items())]
    sys.stdout.write("\n".join([HEADER, *lines, ""]))


if __name__ == "__main__":
    main()
