"""From whatever people call a split to checked folds and a description."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np

from ..exceptions import FingerprintError, SplitError, did_you_mean
from ..fingerprint import digest
from ..types import JSONValue
from ..usercode import called
from .drawing import Rows, check_seed, drawn, narrow
from .fold import Fold, digest_folds, validate
from .kinds import (
    Explicit,
    KFold,
    LeaveOneOut,
    NoSplit,
    Parts,
    Random,
    Splitter,
    TimeSeries,
    triple,
)
from .splitters import (
    explicit,
    grouped,
    kfold,
    leave_one_out,
    none,
    random,
    repeated,
    stratified,
    timeseries,
)

_BY_NAME: dict[str, Callable[[], Splitter]] = {
    "random": random,
    "kfold": kfold,
    "stratified": stratified,
    "grouped": grouped,
    "repeated": repeated,
    "timeseries": timeseries,
    "leave-one-out": leave_one_out,
    "none": none,
}
_ANSWERS = ("data", "X", "y", "groups", "rows", "seed")


@dataclass(frozen=True, slots=True)
class Plain:
    """What an integer means, as in scikit-learn: k blocks in order, stratified for classes."""

    k: int

    repeats = 1
    seeded = False

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Give train, validation and test rows of each fold."""
        return kfold(self.k, shuffle=False, stratify=_has_classes(data, self.k)).parts(data, seed)


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """Any object with ``split(X, y, groups)``, such as scikit-learn's splitters."""

    splitter: Any

    @property
    def repeats(self) -> int:
        """What the object says in ``n_repeats``, else 1."""
        return int(getattr(self.splitter, "n_repeats", 1))

    @property
    def seeded(self) -> bool:
        """Whether it shuffles and has no ``random_state`` of its own."""
        undecided = getattr(self.splitter, "random_state", 0) is None
        return undecided and getattr(self.splitter, "shuffle", True) is not False

    def parts(self, data: Rows, seed: int) -> list[Any]:
        """Give the rows of each fold, drawn by a copy: the user's object stays as it is."""
        splitter = copy.copy(self.splitter)
        if self.seeded:
            splitter.random_state = narrow(seed)
        elif not isinstance(getattr(splitter, "random_state", 0), int | np.integer | None):
            # A generator would move on with each use, and the folds with it.
            splitter.random_state = copy.deepcopy(splitter.random_state)
        return drawn(splitter, data)


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A user's function. Made by :func:`function`."""

    function: Callable[..., Any]
    arguments: tuple[str, ...]

    repeats = 1

    @property
    def seeded(self) -> bool:
        """Whether the function asks for the seed."""
        return "seed" in self.arguments

    def parts(self, data: Rows, seed: int) -> Iterator[Parts]:
        """Call the function and give the rows of each fold that it returns."""
        answers: dict[str, Any] = {"data": data, "seed": seed}
        given = {
            name: answers[name] if name in answers else getattr(data, name)
            for name in self.arguments
        }
        with called(f"split function {_name(self.function)}", SplitError):
            result = self.function(**given)
            # A generator does its work only while it is read.
            result = list(result) if isinstance(result, Iterator) else result
        if _is_one_fold(result):
            result = [result]
        elif isinstance(result, str) or not isinstance(result, Iterable):
            raise SplitError(
                f"split function {_name(self.function)} returned {type(result).__name__}",
                hint="return (train, test), (train, validation, test), or a list of these",
            )
        for number, fold in enumerate(result):
            train, validation, test = (_unmasked(part, data.rows) for part in triple(fold, number))
            yield train, validation, test


def function(f: Callable[..., Any]) -> Function:
    """Split by a function of one's own.

    Parameters
    ----------
    f : callable
        Its arguments without a default are answered by name: ``data``, ``X``, ``y``,
        ``groups``, ``rows`` (their number) and ``seed``. It returns ``(train, test)`` or
        ``(train, validation, test)``, or a list of these, each part as row numbers or as a
        boolean mask over all rows.

    Raises
    ------
    SplitError
        It asks for something else.

    Examples
    --------
    >>> def halves(rows, seed):
    ...     order = np.random.default_rng(seed).permutation(rows)
    ...     return order[: rows // 2], order[rows // 2 :]
    >>> depends_on_seed(function(halves))
    True
    """
    arguments = []
    for argument in inspect.signature(f).parameters.values():
        if argument.default is not argument.empty or argument.kind in (
            argument.VAR_POSITIONAL,
            argument.VAR_KEYWORD,
        ):
            continue
        if argument.name not in _ANSWERS or argument.kind is argument.POSITIONAL_ONLY:
            raise SplitError(
                f"split function {_name(f)} has the argument {str(argument)!r}",
                hint=did_you_mean(argument.name, _ANSWERS),
            )
        arguments.append(argument.name)
    return Function(f, tuple(arguments))


def as_splitter(value: object) -> Splitter:
    """Return what `value` declares, whichever way it is said.

    Parameters
    ----------
    value : object
        A declaration of this package; an object with ``split(X, y, groups)``; an integer
        (blocks in order, stratified for classes, as ``cv=5`` in scikit-learn); a list as
        for :func:`explicit`; a function as for :func:`function`; one of ``"random"``,
        ``"kfold"``, ``"stratified"``, ``"grouped"``, ``"repeated"``, ``"timeseries"``,
        ``"leave-one-out"``, ``"none"``; or None.

    Raises
    ------
    SplitError
        It is none of these.

    Examples
    --------
    >>> as_splitter("leave-one-out")
    LeaveOneOut()
    >>> as_splitter("kfolds")
    Traceback (most recent call last):
        ...
    gosset.exceptions.SplitError: no split 'kfolds'; did you mean 'kfold'?
    """
    if value is None:
        return none()
    if isinstance(value, str):
        declare = _BY_NAME.get(value.replace("_", "-"))
        if declare is None:
            raise SplitError(f"no split {value!r}", hint=did_you_mean(value, _BY_NAME))
        return declare()
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        if value < 2:
            raise SplitError(f"{value} folds", hint="use 2 or more, or none()")
        return Plain(int(value))
    if isinstance(value, type):
        raise SplitError(f"the class {value.__name__}", hint=f"make one: {value.__name__}(…)")
    if isinstance(value, _DECLARED):
        return cast(Splitter, value)
    if callable(getattr(value, "split", None)):
        return Foreign(value)
    if callable(value):
        return function(value)
    if isinstance(value, Iterable):
        return explicit(value)
    raise SplitError(
        f"{value!r} is no split", hint="use one of gosset.splits, or a scikit-learn splitter"
    )


_DECLARED = (
    Random, KFold, TimeSeries, LeaveOneOut, Explicit, NoSplit, Plain, Foreign, Function,
)  # fmt: skip


def make_folds(splitter: object, data: Rows, seed: int) -> tuple[Fold, ...]:
    """Return the folds of `data`, checked and numbered from 0.

    Parameters
    ----------
    splitter : object
        Anything that :func:`as_splitter` takes.
    data : Rows
        What is split, e.g. a :class:`gosset.datasets.Data`.
    seed : int
        Seed of the run, for splitters that shuffle and have none of their own.

    Returns
    -------
    tuple of Fold
        The number counts all folds; of repeated splits ``repeat`` counts the repeats.

    Raises
    ------
    SplitError
        The splitter cannot split this data, or what it gives is not a split: see
        :func:`validate`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> data = SimpleNamespace(rows=6, X=np.zeros((6, 1)), y=None, groups=None, labels=())
    >>> [fold.test.tolist() for fold in make_folds(3, data, seed=1)]
    [[0, 1], [2, 3], [4, 5]]
    """
    check_seed(seed)
    declared = as_splitter(splitter)
    found = [triple(parts, number) for number, parts in enumerate(declared.parts(data, seed))]
    each = max(1, len(found) // declared.repeats)
    folds = tuple(Fold(number, number // each, *parts) for number, parts in enumerate(found))
    validate(folds, data.rows, untested=isinstance(declared, NoSplit))
    return folds


def depends_on_seed(splitter: object) -> bool:
    """Whether the run's seed has a say in the folds.

    Examples
    --------
    >>> depends_on_seed("kfold"), depends_on_seed(random(seed=3)), depends_on_seed(5)
    (True, False, False)
    """
    return as_splitter(splitter).seeded


def describe(splitter: object) -> dict[str, JSONValue]:
    """Return class and parameters of a splitter as JSON values, for showing and comparing.

    Examples
    --------
    >>> describe(timeseries(3))
    {'class': 'TimeSeries', 'parameters': {'k': 3, 'test_size': None, 'gap': 0}}
    """
    declared = as_splitter(splitter)
    parameters: Mapping[str, object]
    if isinstance(declared, Foreign):
        name, parameters = _public_name(type(declared.splitter)), _parameters(declared.splitter)
    elif isinstance(declared, Function):
        name = "Function"
        parameters = {"function": _name(declared.function), "source": _source(declared.function)}
    elif isinstance(declared, Explicit):
        folds = tuple(Fold(i, 0, *parts) for i, parts in enumerate(declared.folds))
        name, parameters = "Explicit", {"folds": len(folds), "digest": digest_folds(folds)}
    else:
        name = type(declared).__name__
        parameters = {f.name: getattr(declared, f.name) for f in fields(cast(Any, declared))}
    return {"class": name, "parameters": {key: _json(value) for key, value in parameters.items()}}


def _has_classes(data: Rows, k: int) -> bool:
    """Whether the target holds classes: named ones, or integers each there k times."""
    if data.y is None or np.ndim(data.y) != 1:
        return False
    if data.labels:
        return True
    y = np.asarray(data.y)
    return y.dtype.kind in "iu" and int(np.unique(y, return_counts=True)[1].min()) >= k


def _is_one_fold(result: object) -> bool:
    if isinstance(result, tuple) and len(result) in (2, 3):
        return all(_is_rows(part) for part in result)
    return isinstance(result, Fold | Mapping)


def _is_rows(part: object) -> bool:
    if isinstance(part, Sequence):
        return not part or not isinstance(part[0], Iterable)
    return hasattr(part, "__array__")


def _unmasked(part: object, rows: int) -> object:
    array = np.asarray(part)
    return np.flatnonzero(array) if array.dtype == bool and array.shape == (rows,) else part


def _parameters(splitter: Any) -> dict[str, object]:
    # The same way as scikit-learn shows them: by the names of the constructor.
    extra = getattr(splitter, "cvargs", {})
    found = {}
    for name in inspect.signature(type(splitter)).parameters:
        if hasattr(splitter, name) or name in extra:
            found[name] = getattr(splitter, name, extra.get(name))
    return found


def _json(value: Any) -> JSONValue:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return cast(JSONValue, value.item())
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    try:
        return f"{type(value).__name__} {digest(value)[:16]}"
    except FingerprintError:
        return type(value).__qualname__


def _public_name(kind: type) -> str:
    module = ".".join(part for part in kind.__module__.split(".") if not part.startswith("_"))
    return f"{module}.{kind.__qualname__}".lstrip(".")


def _name(f: object) -> str:
    return str(getattr(f, "__qualname__", type(f).__qualname__))


def _source(f: Callable[..., Any]) -> str | None:
    try:
        return inspect.getsource(f)
    except (OSError, TypeError):  # typed at a prompt, or written in C
        return None
