"""The kinds of split: frozen values that know their parameters and give rows.

Random, k-fold and time-series splits give exactly the rows that scikit-learn's splitters
give for the same seed, and need it only for classes and groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..exceptions import SplitError, require
from .drawing import (
    Rows,
    blocks,
    check_count,
    check_seed,
    check_share,
    drawn,
    hold_out,
    narrow,
    need_groups,
    need_target,
    size,
)
from .fold import PARTS, Fold, Indices

Parts: TypeAlias = tuple[Any, Any, Any]
"""Rows of one fold to train, to validate and to test on."""


class Splitter(Protocol):
    """A declared split.

    Attributes
    ----------
    repeats : int
        How many times the rows are split anew; folds are counted through.
    seeded : bool
        Whether the folds depend on the run's seed.
    """

    @property
    def repeats(self) -> int:
        """Repetitions, each with the same number of folds."""
        ...

    @property
    def seeded(self) -> bool:
        """Whether another seed may give other folds."""
        ...

    def parts(self, data: Rows, seed: int) -> Iterable[Parts]:
        """Give the rows of each fold, in order; they are checked afterwards."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Random:
    """Rows drawn at random. Made by :func:`random`."""

    test: float | int
    validation: float | int
    stratify: bool
    seed: int | None
    repeats: int

    def __post_init__(self) -> None:
        check_share("test", self.test, empty=False)
        check_share("validation", self.validation, empty=True)
        check_seed(self.seed)
        check_count("repeats", self.repeats, 1)

    @property
    def seeded(self) -> bool:
        """Whether the folds depend on the run's seed."""
        return self.seed is None

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        seed = seed if self.seed is None else self.seed
        tested = size(self.test, data.rows)
        validated = size(self.validation, data.rows)
        if tested + validated >= data.rows:
            raise SplitError(
                f"{tested} test and {validated} validation rows of {data.rows} leave none to"
                " train on",
                hint="make test= or validation= smaller",
            )
        for number, (train, test) in enumerate(self._pairs(data, tested, seed)):
            yield *hold_out(train, validated, data, (seed, number), stratify=self.stratify), test

    def _pairs(self, data: Rows, tested: int, seed: int) -> Iterator[tuple[Indices, Indices]]:
        if self.stratify:
            need_target(data, "random(stratify=True)")
            require("sklearn", "sklearn", "a stratified split")
            from sklearn.model_selection import StratifiedShuffleSplit

            splitter = StratifiedShuffleSplit(
                self.repeats, test_size=tested, random_state=narrow(seed)
            )
            yield from drawn(splitter, data)
            return
        state = np.random.RandomState(narrow(seed))
        for _ in range(self.repeats):
            order = state.permutation(data.rows)
            yield order[tested:], order[:tested]


@dataclass(frozen=True, slots=True, kw_only=True)
class KFold:
    """Each row tested once. Made by :func:`kfold` and its sisters."""

    k: int
    shuffle: bool
    stratify: bool
    groups: bool
    validation: float | int
    repeats: int
    seed: int | None

    def __post_init__(self) -> None:
        check_count("k", self.k, 2)
        check_count("repeats", self.repeats, 1)
        check_share("validation", self.validation, empty=True)
        check_seed(self.seed)
        if self.repeats > 1 and not self.shuffle:
            raise SplitError(
                f"{self.repeats} repeats without shuffling are {self.repeats} times the same",
                hint="use shuffle=True",
            )

    @property
    def seeded(self) -> bool:
        """Whether the folds depend on the run's seed."""
        return self.seed is None and (self.shuffle or bool(self.validation))

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        seed = seed if self.seed is None else self.seed
        if self.k > data.rows:
            raise SplitError(f"{self.k} folds of {data.rows} rows", hint="use a smaller k")
        validated = size(self.validation, data.rows)
        # One state for all repeats, as in scikit-learn's RepeatedKFold.
        state = np.random.RandomState(narrow(seed))
        number = 0
        for _ in range(self.repeats):
            for train, test in self._pairs(data, state):
                kept, held = hold_out(
                    train,
                    validated,
                    data,
                    (seed, number),
                    stratify=self.stratify,
                    groups=self.groups,
                )
                yield kept, held, test
                number += 1

    def _pairs(self, data: Rows, state: np.random.RandomState) -> Iterable[tuple[Indices, Indices]]:
        if not (self.stratify or self.groups):
            return blocks(data.rows, self.k, state if self.shuffle else None)
        if self.stratify:
            need_target(data, "a stratified split")
        if self.groups:
            need_groups(data)
        require("sklearn", "sklearn", "a stratified or grouped split")
        from sklearn import model_selection

        name = ("Stratified" if self.stratify else "") + ("Group" if self.groups else "") + "KFold"
        options: dict[str, Any] = {"shuffle": True, "random_state": state} if self.shuffle else {}
        return drawn(getattr(model_selection, name)(self.k, **options), data)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries:
    """Trained on what came before. Made by :func:`timeseries`."""

    k: int
    test_size: int | None
    gap: int

    repeats = 1
    seeded = False

    def __post_init__(self) -> None:
        check_count("k", self.k, 2)
        check_count("gap", self.gap, 0)
        if self.test_size is not None:
            check_count("test_size", self.test_size, 1)

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        tested = data.rows // (self.k + 1) if self.test_size is None else self.test_size
        first = data.rows - self.k * tested
        if tested < 1 or first - self.gap < 1:
            raise SplitError(
                f"{self.k} folds with {max(tested, 1)} test rows and a gap of {self.gap} need more"
                f" than {data.rows} rows",
                hint="use a smaller k, test_size or gap",
            )
        order = np.arange(data.rows)
        for start in range(first, data.rows, tested):
            yield order[: start - self.gap], order[:0], order[start : start + tested]


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """Each row tested alone. Made by :func:`leave_one_out`."""

    repeats = 1
    seeded = False

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        if data.rows < 2:
            raise SplitError("leave-one-out needs two rows or more")
        for train, test in blocks(data.rows, data.rows, None):
            yield train, test[:0], test


@dataclass(frozen=True, slots=True, eq=False)
class Explicit:
    """Rows as given. Made by :func:`explicit`."""

    folds: tuple[Parts, ...]

    repeats = 1
    seeded = False

    def parts(self, data: Rows, seed: int) -> Iterable[Parts]:
        """Give train, validation and test rows of each fold."""
        return self.folds


@dataclass(frozen=True, slots=True)
class NoSplit:
    """All rows train. Made by :func:`none`."""

    repeats = 1
    seeded = False

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        yield np.arange(data.rows), (), ()


def triple(fold: object, number: int) -> Parts:
    """Return one fold, written in any of the ways of :func:`explicit`, as three parts."""
    if isinstance(fold, Fold):
        return fold.train, fold.validation, fold.test
    if isinstance(fold, Mapping):
        unknown = sorted(map(str, set(fold) - set(PARTS)))
        if unknown or "train" not in fold or "test" not in fold:
            what = f"has the part {unknown[0]!r}" if unknown else "lacks 'train' or 'test'"
            raise SplitError(
                f"fold {number} {what}", hint="the parts are 'train', 'validation' and 'test'"
            )
        return fold["train"], fold.get("validation", ()), fold["test"]
    if isinstance(fold, Sequence) and len(fold) in (2, 3) and not isinstance(fold, str | bytes):
        return fold[0], fold[1] if len(fold) == 3 else (), fold[-1]
    shown = f"{type(fold).__name__}" + (f" of {len(fold)}" if isinstance(fold, Sequence) else "")
    raise SplitError(
        f"fold {number} is a {shown}", hint="give (train, test) or (train, validation, test)"
    )
