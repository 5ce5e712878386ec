"""Drawing rows: sizes, blocks, rows held out, and the rows that scikit-learn draws."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..exceptions import SplitError, require
from ..usercode import told, user_line
from .fold import Indices


class Rows(Protocol):
    """What a splitter sees of a dataset; :class:`gosset.datasets.Data` is one."""

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    @property
    def X(self) -> Any:
        """Features, one row each."""
        ...

    @property
    def y(self) -> Any:
        """Targets, or None."""
        ...

    @property
    def groups(self) -> Any:
        """Group of each row, or None."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names of the target; empty where it has none."""
        ...


class _Some(NamedTuple):
    """A few rows of the data, to be split once more."""

    rows: int
    X: Any
    y: Any
    groups: Any = None
    labels: tuple[str, ...] = ()


def check_count(name: str, value: object, least: int) -> None:
    """Raise unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SplitError(f"{name}={value!r}", hint=f"use an integer from {least}")


def check_seed(seed: object) -> None:
    """Raise unless `seed` is None or an integer from 0."""
    if seed is not None:
        check_count("seed", seed, 0)


def check_share(name: str, value: object, *, empty: bool) -> None:
    """Raise unless `value` is a share below 1 or a number of rows; 0 only if `empty`."""
    share = isinstance(value, float) and 0 <= value < 1
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not (share or number) or not (value or empty):
        raise SplitError(
            f"{name}={value!r}", hint="use a share of all rows below 1, or a number of rows"
        )


def size(share: float | int, rows: int) -> int:
    """Return a share of `rows`, rounded up as in scikit-learn; an integer is a size already."""
    return math.ceil(share * rows) if isinstance(share, float) else int(share)


def narrow(seed: int) -> int:
    """Return `seed` for generators that take 32 bits: itself where it fits, else mixed."""
    return seed if seed < 2**32 else int(np.random.SeedSequence(seed).generate_state(1)[0])


def need_target(data: Rows, who: str) -> None:
    """Raise unless the data has a target."""
    if data.y is None:
        raise SplitError(f"{who} needs a target", hint="declare the dataset with target=…")


def need_groups(data: Rows) -> None:
    """Raise unless the data has groups."""
    if data.groups is None:
        raise SplitError("a grouped split needs groups", hint="declare the dataset with groups=…")


def blocks(
    rows: int, k: int, state: np.random.RandomState | None
) -> Iterator[tuple[Indices, Indices]]:
    """Cut the rows, shuffled by `state` if given, into `k` blocks; yield (others, block)."""
    order = np.arange(rows)
    if state is not None:
        state.shuffle(order)
    for block in np.array_split(order, k):
        tested = np.zeros(rows, dtype=bool)
        tested[block] = True
        yield np.flatnonzero(~tested), np.flatnonzero(tested)


def drawn(splitter: Any, data: Rows) -> list[Any]:
    """Return what ``splitter.split`` gives; what it raises becomes a ``SplitError``."""
    try:
        with warnings.catch_warnings():
            # scikit-learn warns of groups that it does not need; the data may have them.
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
            return list(splitter.split(data.X, data.y, data.groups))
    except SplitError:
        raise
    except Exception as error:
        name = type(splitter).__name__
        # scikit-learn refuses by a ValueError; all else is a slip in a splitter of the user's.
        reason = " ".join(str(error).split()) if type(error) is ValueError else told(error)
        where = user_line(error)
        raise SplitError(
            f"{name} cannot split the data: {reason}",
            hint=f"see {where}" if where else f"choose other settings of {name}, or another split",
        ) from error


def hold_out(
    train: Indices,
    count: int,
    data: Rows,
    seed: tuple[int, int],
    *,
    stratify: bool = False,
    groups: bool = False,
) -> tuple[Indices, Indices]:
    """Take `count` validation rows out of `train`, both in their old order.

    The generator is the fold's own, so that test rows do not depend on validation. With
    `groups`, whole groups are taken until there are `count` rows or more.
    """
    if not count:
        return train, train[:0]
    if count >= train.size:
        raise SplitError(
            f"{count} validation rows of {train.size} leave none to train on",
            hint="make validation= smaller",
        )
    generator = np.random.default_rng(seed)
    held = np.zeros(train.size, dtype=bool)
    if groups:
        held[:] = _whole_groups(np.asarray(data.groups)[train], count, generator)
    elif stratify:
        require("sklearn", "sklearn", "a stratified split")
        from sklearn.model_selection import StratifiedShuffleSplit

        state = int(generator.integers(2**32))
        one = StratifiedShuffleSplit(1, test_size=count, random_state=state)
        some = _Some(train.size, train, np.asarray(data.y)[train])
        ((_, chosen),) = drawn(one, some)
        held[chosen] = True
    else:
        held[generator.permutation(train.size)[:count]] = True
    return train[~held], train[held]


def _whole_groups(groups: Any, count: int, generator: np.random.Generator) -> Any:
    names, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = generator.permutation(names.size)
    enough = int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1
    if enough >= names.size:
        raise SplitError(
            f"{count} validation rows in whole groups leave none of {names.size} groups to train on",
            hint="make validation= smaller",
        )
    return np.isin(codes, order[:enough])
