"""Setting the global random generators, and putting them back."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators inside the block.

    torch is seeded where it is loaded. The earlier states are restored.

    Parameters
    ----------
    seed : int
        0 ≤ seed < 2**32; 0 is a seed like any other.

    Examples
    --------
    >>> import random
    >>> with seeded(0):
    ...     first = random.random()
    >>> with seeded(0):
    ...     first == random.random()
    True
    """
    with contextlib.ExitStack() as restore:
        restore.callback(random.setstate, random.getstate())
        random.seed(seed)
        # Imported even where nothing has yet: code inside the block may be the first to.
        import numpy.random

        restore.callback(numpy.random.set_state, numpy.random.get_state())
        numpy.random.seed(seed % 2**32)
        torch = sys.modules.get("torch")
        if torch is not None:
            restore.callback(torch.set_rng_state, torch.get_rng_state())
            if torch.cuda.is_available():
                restore.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
            torch.manual_seed(seed)
        yield
