"""Seeds the random generators that libraries share, and gives them back as they were."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_WORD = 2**32


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python, NumPy and (where it is imported) PyTorch for the length of a block.

    Parameters
    ----------
    seed : int
        Not negative; 0 is a seed as any other.

    Examples
    --------
    >>> import random
    >>> with seeded(0):
    ...     first = random.random()
    >>> with seeded(0):
    ...     first == random.random()
    True
    """
    import numpy as np

    python, numpy_state = random.getstate(), np.random.get_state()
    with _torch_kept(seed):
        random.seed(seed)
        # NumPy takes 32 bits a word, and any number of words.
        np.random.seed(_words(seed))
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy_state)


def _words(seed: int) -> int | list[int]:
    if seed < _WORD:
        return seed
    words = []
    while seed:
        seed, word = divmod(seed, _WORD)
        words.append(word)
    return words


@contextmanager
def _torch_kept(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    # Without a GPU in use there is nothing to keep, and asking would set one up.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed % 2**64)
        yield
