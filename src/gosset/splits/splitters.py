"""Splitters: the functions by which people say how the rows are split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..exceptions import SplitError
from .kinds import Explicit, KFold, LeaveOneOut, NoSplit, Random, TimeSeries, triple


def random(
    test: float | int = 0.25,
    validation: float | int = 0.0,
    *,
    stratify: bool = False,
    seed: int | None = None,
    repeats: int = 1,
) -> Random:
    """Draw test and validation rows at random.

    Parameters
    ----------
    test, validation : float or int
        Shares of *all* rows, rounded up, or numbers of rows: with ``test=0.25,
        validation=0.1`` 100 rows become 65 to train, 10 to validate and 25 to test.
    stratify : bool
        Keep the shares of the classes in every part; needs scikit-learn.
    seed : int, optional
        By default the run's seed.
    repeats : int
        How many folds to draw, independently of each other.

    Returns
    -------
    Random
        Its test rows are those of scikit-learn's ``ShuffleSplit`` (with `stratify`:
        ``StratifiedShuffleSplit``), whatever `validation` is.

    Raises
    ------
    SplitError
        A share that is not below 1, or a negative number.

    Examples
    --------
    >>> random(test=0.2).test
    0.2
    """
    return Random(test=test, validation=validation, stratify=stratify, seed=seed, repeats=repeats)


def kfold(
    k: int = 5,
    *,
    shuffle: bool = True,
    stratify: bool = False,
    groups: bool = False,
    validation: float | int = 0.0,
    repeats: int = 1,
    seed: int | None = None,
) -> KFold:
    """Cut the rows into `k` blocks and test on each of them once.

    Parameters
    ----------
    k : int
        Folds of one repeat; their sizes differ by one row at most.
    shuffle : bool
        Shuffle the rows first. Without it sorted data gives folds of a single class.
    stratify : bool
        Give every fold the same share of each class.
    groups : bool
        Keep the rows of one group together; the dataset says what the groups are.
        Together with `shuffle` this needs scikit-learn 1.6.
    validation : float or int
        Share of all rows (rounded up), or number of rows, taken out of each training
        part at random: in classes with `stratify`, and as whole groups, until there are
        enough rows, with `groups`.
    repeats : int
        How often to shuffle and cut anew.
    seed : int, optional
        By default the run's seed.

    Returns
    -------
    KFold
        Its folds are those of scikit-learn's ``KFold``, ``StratifiedKFold``,
        ``GroupKFold`` or ``StratifiedGroupKFold`` with ``random_state=seed``.

    Raises
    ------
    SplitError
        `k` is below 2, a share is not below 1, or repeats without shuffling.

    Examples
    --------
    >>> kfold(10, seed=1).k
    10
    """
    return KFold(
        k=k,
        shuffle=shuffle,
        stratify=stratify,
        groups=groups,
        validation=validation,
        repeats=repeats,
        seed=seed,
    )


def stratified(
    k: int = 5,
    *,
    shuffle: bool = True,
    validation: float | int = 0.0,
    repeats: int = 1,
    seed: int | None = None,
) -> KFold:
    """Cut the rows into `k` blocks with the same share of each class; see :func:`kfold`."""
    return kfold(
        k, shuffle=shuffle, stratify=True, validation=validation, repeats=repeats, seed=seed
    )


def grouped(
    k: int = 5,
    *,
    shuffle: bool = False,
    stratify: bool = False,
    validation: float | int = 0.0,
    repeats: int = 1,
    seed: int | None = None,
) -> KFold:
    """Cut the rows into `k` blocks of whole groups; see :func:`kfold`."""
    return kfold(
        k,
        shuffle=shuffle,
        stratify=stratify,
        groups=True,
        validation=validation,
        repeats=repeats,
        seed=seed,
    )


def repeated(
    k: int = 5,
    repeats: int = 10,
    *,
    stratify: bool = False,
    groups: bool = False,
    validation: float | int = 0.0,
    seed: int | None = None,
) -> KFold:
    """Cut the rows into `k` blocks, `repeats` times over; see :func:`kfold`.

    Examples
    --------
    >>> repeated(5, 3).repeats
    3
    """
    return kfold(
        k,
        stratify=stratify,
        groups=groups,
        validation=validation,
        repeats=repeats,
        seed=seed,
    )


def timeseries(k: int = 5, *, test_size: int | None = None, gap: int = 0) -> TimeSeries:
    """Test on `k` stretches in order, each time trained on all that came before.

    Parameters
    ----------
    k : int
        How many folds.
    test_size : int, optional
        Rows to test on; by default the rows divided by ``k + 1``.
    gap : int
        Rows left out between the training rows and the test rows.

    Returns
    -------
    TimeSeries
        Its folds are those of scikit-learn's ``TimeSeriesSplit``.
    """
    return TimeSeries(k=k, test_size=test_size, gap=gap)


def leave_one_out() -> LeaveOneOut:
    """Test on each row alone, trained on all others."""
    return LeaveOneOut()


def none() -> NoSplit:
    """Train on all rows and test on none, in one fold."""
    return NoSplit()


def explicit(folds: Iterable[object]) -> Explicit:
    """Use the rows that are given.

    Parameters
    ----------
    folds : iterable
        Of ``(train, test)``, ``(train, validation, test)``, ``{"train": …, "test": …}`` with
        or without ``"validation"``, or :class:`Fold`.

    Raises
    ------
    SplitError
        It is empty, or a fold is none of these; the message names the fold.

    Examples
    --------
    >>> explicit([([0, 1], [2]), {"train": [1, 2], "test": [0]}]).folds
    (([0, 1], (), [2]), ([1, 2], (), [0]))
    """
    if isinstance(folds, str | Mapping) or not isinstance(folds, Iterable):
        raise SplitError(
            f"explicit folds are a list, not {type(folds).__name__}",
            hint="give [(train, test), …]",
        )
    found = tuple(triple(fold, number) for number, fold in enumerate(folds))
    if not found:
        raise SplitError("the split has no folds", hint="give at least one (train, test)")
    return Explicit(found)
