"""Data: a loaded dataset, as features, targets and groups with a schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..entities import Column
from ..exceptions import DatasetError, did_you_mean, require
from ..fingerprint import digest as digest_of
from .describe import Description, describe
from .values import Array, column_values, is_frame, is_sparse

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A loaded dataset. Made and checked by the functions of :mod:`gosset.datasets`.

    Two of them hold the same data if and only if their digests are equal.

    Attributes
    ----------
    content : mapping
        Either ``frame``, a DataFrame with the targets in it (and ``nodes`` beside it, when
        the rows are the edges of a graph), or ``X`` and, where there are, ``y`` and
        ``groups``.
    columns : tuple of Column
        Name, type, role, unit and labels of every column. An array that has more than two
        dimensions, or that is too wide to be named, is one column.

    Examples
    --------
    >>> from gosset.datasets import from_arrays
    >>> data = from_arrays([[1.0, 2.0], [3.0, 4.0]], ["no", "yes"], name="tiny").load()
    >>> data
    <data: 2 rows, 2 features, target 'target'>
    >>> data.y.tolist(), data.labels
    (['no', 'yes'], ('no', 'yes'))
    """

    content: Mapping[str, Any]
    columns: tuple[Column, ...]

    @cached_property
    def X(self) -> Any:
        """Features, as the type they came in: a DataFrame, an array or a sparse matrix."""
        if "frame" not in self.content:
            return self.content["X"]
        others = [column.name for column in self.columns if column.role != "feature"]
        return self.content["frame"].drop(columns=others)

    @cached_property
    def y(self) -> Array | None:
        """Target values, shape ``(rows,)``, or ``(rows, targets)`` where there are several.

        Text stays text, and a category becomes its label. None without a target.
        """
        return self._values("target") if "frame" in self.content else self.content.get("y")

    @cached_property
    def groups(self) -> Array | None:
        """Group of each row, shape ``(rows,)``; None where the rows have none."""
        return self._values("group") if "frame" in self.content else self.content.get("groups")

    def _values(self, role: str) -> Array | None:
        frame = self.content["frame"]
        values = [column_values(frame[name]) for name in self._names(role)]
        if len(values) < 2:
            return values[0] if values else None
        texts = {array.dtype.kind == "U" for array in values}
        return np.stack(values, axis=1, dtype=object if len(texts) > 1 else None)

    def _names(self, role: str) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.role == role)

    def __getitem__(self, columns: str | list[str]) -> Any:
        """Return a column of the frame, or the columns of a list of names as a frame.

        Raises
        ------
        DatasetError
            There is no such column.
        """
        known = [str(name) for name in self.frame.columns]
        for name in columns if isinstance(columns, list) else [columns]:
            if not isinstance(name, str):
                raise DatasetError(
                    f"data[…] takes names of columns, not a value of type {type(name).__name__}",
                    hint="data.frame is the DataFrame, data.X and data.y are its parts",
                )
            if name not in known:
                raise DatasetError(f"no column {name!r}", hint=did_you_mean(name, known))
        return self.frame[columns]

    @property
    def rows(self) -> int:
        """How many rows there are; they are numbered from 0, whatever a frame's index says."""
        return int(self.content.get("frame", self.content.get("X")).shape[0])

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the target columns."""
        return self._names("target")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Class names of a single target, else empty.

        Of a coded target in the order of the codes, of text in alphabetical order.
        """
        targets = [column for column in self.columns if column.role == "target"]
        if len(targets) != 1 or targets[0].labels:
            return targets[0].labels if len(targets) == 1 else ()
        if self.y is None or self.y.dtype.kind not in "Ub":
            return ()
        return tuple(map(str, np.unique(self.y)))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns as a DataFrame; arrays get the declared names.

        Raises
        ------
        DatasetError
            The features are sparse or have more than two dimensions.
        """
        if "frame" in self.content:
            return cast("pd.DataFrame", self.content["frame"])
        require("pandas", "frames", "a frame")
        import pandas as pd

        X = self.content["X"]
        if is_sparse(X) or (not is_frame(X) and X.ndim > 2):
            kind = "sparse" if is_sparse(X) else f"an array with {X.ndim} dimensions"
            raise DatasetError(f"the features are {kind} and have no frame", hint="use X and y")
        frame: pd.DataFrame
        if is_frame(X):
            frame = X.copy(deep=False)
        else:
            names = self._names("feature")
            if X.ndim == 2 and len(names) < X.shape[1]:  # too wide to have been named
                names = tuple(f"x{position}" for position in range(X.shape[1]))
            frame = pd.DataFrame(X.reshape(self.rows, -1), columns=names, copy=False)
        for part, role in (("y", "target"), ("groups", "group")):
            if part in self.content:
                values = self.content[part].reshape(self.rows, -1)
                for position, name in enumerate(self._names(role)):
                    frame[name] = values[:, position]
        return frame

    @cached_property
    def digest(self) -> str:
        """Content of all rows, and names, types, roles and labels of the columns.

        Name, description and units have no part in it.
        """
        schema = tuple((c.name, c.dtype, c.role, c.labels) for c in self.columns)
        known = {"X": lambda: self.features_digest, "y": lambda: self.target_digest}
        parts = {
            name: known[name]() if name in known else digest_of(part)
            for name, part in self.content.items()
        }
        return digest_of((schema, parts))

    @cached_property
    def features_digest(self) -> str:
        """Content of the features alone."""
        return digest_of(self.X)

    @cached_property
    def target_digest(self) -> str:
        """Content of the targets alone."""
        return digest_of(self.y)

    def describe(self) -> Description:
        """Return counts and statistics of every column."""
        return describe(self.content, self.columns, self.rows)

    def __repr__(self) -> str:
        features = len(self._names("feature"))
        parts = [f"{self.rows} rows", f"{features} feature{'s' if features != 1 else ''}"]
        if self.targets:
            names = ", ".join(map(repr, self.targets[:3]))
            more = ", …" if len(self.targets) > 3 else ""
            parts.append(f"target{'s' if len(self.targets) > 1 else ''} {names}{more}")
        return f"<data: {', '.join(parts)}>"
