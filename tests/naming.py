"""Names for parametrised tests that are the same in every process."""

from __future__ import annotations

import re


def stable(value: object) -> str:
    """Return a short text for `value` without addresses, which differ between processes.

    Tests are dealt out to several processes by their names.
    """
    return re.sub(r" ?(at )?0[xX][0-9a-fA-F]+", "", str(value))[:60]
