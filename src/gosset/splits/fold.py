"""Folds: the rows that train, validate and test, checked, and as bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from ..exceptions import SerializationError, SplitError

Indices: TypeAlias = npt.NDArray[np.int64]
PARTS = ("train", "validation", "test")
_MAGIC = b"gosset-folds-1"


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One split of the rows of a dataset.

    Attributes
    ----------
    number : int
        Position among all folds of the split, from 0.
    repeat : int
        Which repetition of the splitting it belongs to, from 0.
    train, validation, test : numpy.ndarray of int64, shape (rows of the part,)
        Row numbers from 0, read-only, in the order in which the splitter gave them.
        `validation` may be empty.

    Raises
    ------
    SplitError
        A part is not a one-dimensional sequence of integers.

    Examples
    --------
    >>> fold = Fold(0, 0, train=[0, 1, 2], validation=[], test=[3])
    >>> fold
    <fold 0: train 3, validation 0, test 1>
    >>> fold == Fold(0, 0, [0, 1, 2], [], [3])
    True
    """

    number: int
    repeat: int
    train: Indices
    validation: Indices
    test: Indices

    def __post_init__(self) -> None:
        for name in ("number", "repeat"):
            object.__setattr__(self, name, int(getattr(self, name)))
        for part in PARTS:
            where = f"fold {self.number}, {part}"
            object.__setattr__(self, part, _indices(getattr(self, part), where))

    @property
    def digest(self) -> str:
        """BLAKE3 of number, repeat and rows."""
        return digest_folds((self,))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fold):
            return NotImplemented
        return (self.number, self.repeat) == (other.number, other.repeat) and all(
            np.array_equal(getattr(self, part), getattr(other, part)) for part in PARTS
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[object, ...]:
        # Through the constructor, because NumPy would bring the arrays back writable.
        return Fold, (self.number, self.repeat, self.train, self.validation, self.test)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(getattr(self, part))}" for part in PARTS)
        return f"<fold {self.number}: {sizes}>"


def _indices(values: object, where: str) -> Indices:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise SplitError(f"{where}: not a list of row numbers") from error
    if array.ndim != 1:
        raise SplitError(
            f"{where}: rows of shape {array.shape}", hint="give one list of row numbers"
        )
    if array.size and array.dtype.kind not in "iu":
        first = array.tolist()[0]
        raise SplitError(
            f"{where}: the first row is {first!r}, of type {type(first).__name__}",
            hint="give row numbers, integers from 0",
        )
    array = array.astype(np.int64)  # a copy, so that nobody else can write to it
    array.flags.writeable = False
    return array


def validate(folds: Sequence[Fold], rows: int, *, untested: bool = False) -> None:
    """Raise unless every fold is a proper split of `rows` rows.

    Parameters
    ----------
    folds : sequence of Fold
        Numbered from 0, in order.
    rows : int
        How many rows the data has.
    untested : bool
        Whether a fold may have no test rows, as when nothing is split off.

    Raises
    ------
    SplitError
        There is no fold, the numbers have gaps, or a part is empty, names a row twice,
        names one that is not there, or shares one with another part. The message names
        fold, part and first row.

    Examples
    --------
    >>> validate([Fold(0, 0, [0, 1], [], [1, 2])], rows=3)
    Traceback (most recent call last):
        ...
    gosset.exceptions.SplitError: fold 0: row 1 is in train and in test; a row may be in one part only
    """
    if not folds:
        raise SplitError("the split has no folds", hint="give at least one (train, test)")
    for position, fold in enumerate(folds):
        if fold.number != position:
            raise SplitError(f"fold {fold.number} stands at position {position}")
        _validate(fold, rows, ("train",) if untested else ("train", "test"))


def _validate(fold: Fold, rows: int, needed: tuple[str, ...]) -> None:
    owner = np.full(rows, -1, dtype=np.int8)
    for code, part in enumerate(PARTS):
        where = f"fold {fold.number}, {part}"
        indices: Indices = getattr(fold, part)
        if not indices.size and part in needed:
            raise SplitError(f"{where}: no rows", hint=f"the data has {rows} rows to choose from")
        outside = (indices < 0) | (indices >= rows)
        if outside.any():
            raise SplitError(
                f"{where}: row {indices[outside.argmax()]} is out of range",
                hint=f"rows are numbered from 0 to {rows - 1}",
            )
        shared = owner[indices] >= 0
        if shared.any():
            row = indices[shared.argmax()]
            raise SplitError(
                f"fold {fold.number}: row {row} is in {PARTS[owner[row]]} and in {part}",
                hint="a row may be in one part only",
            )
        owner[indices] = code
        if np.count_nonzero(owner == code) != indices.size:
            found, counts = np.unique(indices, return_counts=True)
            raise SplitError(
                f"{where}: row {found[(counts > 1).argmax()]} is there more than once",
                hint="name each row once",
            )


def folds_to_bytes(folds: Sequence[Fold]) -> bytes:
    """Return the folds as bytes, the same for the same folds in every process.

    A training part that is simply all other rows in order, as in k-fold splits, is not
    written out: the bytes grow with the rows, not with rows times folds.

    Examples
    --------
    >>> folds = (Fold(0, 0, [1, 2], [], [0]), Fold(1, 0, [0, 2], [], [1]))
    >>> folds_from_bytes(folds_to_bytes(folds)) == folds
    True
    """
    table: list[tuple[int, ...]] = []
    chunks: list[Indices] = [np.empty(0, np.int64)]
    for fold in folds:
        train = fold.train.size
        if _train_is_the_rest(fold):
            train = -train
        else:
            chunks.append(fold.train)
        chunks += [fold.validation, fold.test]
        table.append((fold.number, fold.repeat, train, fold.validation.size, fold.test.size))
    packed = np.concatenate(chunks)
    wide = packed.size and (packed.max() >= 2**31 or packed.min() < -(2**31))
    dtype = "<i8" if wide else "<i4"
    header = json.dumps({"dtype": dtype, "folds": table}, separators=(",", ":"))
    return b"\n".join([_MAGIC, header.encode(), packed.astype(dtype).tobytes()])


def folds_from_bytes(data: bytes) -> tuple[Fold, ...]:
    """Read back what :func:`folds_to_bytes` wrote.

    Raises
    ------
    SerializationError
        The bytes are not folds.
    """
    try:
        magic, line, body = data.split(b"\n", 2)
        header = json.loads(line)
        packed = np.frombuffer(body, dtype=header["dtype"])
        table = header["folds"]
    except (ValueError, KeyError, TypeError) as error:
        raise SerializationError("these bytes are not folds") from error
    written = sum(max(train, 0) + validation + test for _, _, train, validation, test in table)
    if magic != _MAGIC or written != packed.size:
        raise SerializationError("these bytes are not folds, or not all of them")
    folds, at = [], 0
    for number, repeat, train, validation, test in table:
        ends = np.cumsum([at, max(train, 0), validation, test])
        listed, validating, testing = (packed[a:b] for a, b in pairwise(ends))
        if train < 0:
            listed = _rest(np.concatenate([validating, testing]), validation + test - train)
        folds.append(Fold(number, repeat, listed, validating, testing))
        at = int(ends[-1])
    return tuple(folds)


def digest_folds(folds: Sequence[Fold]) -> str:
    """Return the BLAKE3 of the folds as bytes: the identity of a split."""
    return blake3(folds_to_bytes(folds)).hexdigest()


def _train_is_the_rest(fold: Fold) -> bool:
    held = np.concatenate([fold.validation, fold.test])
    rows = fold.train.size + held.size
    within = not held.size or (held.min() >= 0 and held.max() < rows)
    return within and np.array_equal(_rest(held, rows), fold.train)


def _rest(held: npt.NDArray[np.integer], rows: int) -> Indices:
    mask = np.ones(rows, dtype=bool)
    mask[held] = False
    return np.flatnonzero(mask)
