"""Setting the global random generators, and putting them back."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[Callable[[], bool]]:
    """Seed Python's, NumPy's and torch's global generators inside the block.

    torch is seeded where it is loaded. The earlier states are restored.

    Parameters
    ----------
    seed : int
        0 ≤ seed < 2**32; 0 is a seed like any other.

    Yields
    ------
    callable
        Says whether numbers were drawn from Python's or NumPy's generator since.

    Examples
    --------
    >>> import random
    >>> with seeded(0) as drawn:
    ...     before, first = drawn(), random.random()
    ...     print(before, drawn())
    False True
    >>> with seeded(0):
    ...     first == random.random()
    True
    """
    # Imported even where nothing has yet: code inside the block may be the first to.
    import numpy.random

    with contextlib.ExitStack() as restore:
        restore.callback(random.setstate, random.getstate())
        restore.callback(numpy.random.set_state, numpy.random.get_state())
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        restore.enter_context(_torch_seeded(seed))
        fresh, fresh_numpy = random.getstate(), numpy.random.get_state(legacy=False)

        def drawn() -> bool:
            now = numpy.random.get_state(legacy=False)["state"]
            then = fresh_numpy["state"]
            moved = now["pos"] != then["pos"] or (now["key"] != then["key"]).any()
            return bool(moved) or random.getstate() != fresh

        yield drawn


@contextlib.contextmanager
def _torch_seeded(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    # Without a GPU in use there is nothing to keep, and asking would set one up.
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield
