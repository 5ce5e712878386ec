"""Views of per-row results: what metrics take by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..exceptions import UsageError, did_you_mean
from ..stages import Stage, view
from .results import PARTS, labels_of, select

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

COLUMNS = {
    "truth": "truth",
    "predicted": "predicted",
    "probabilities": "probability",
    "decision": "decision",
    "rows": "row",
    "embedding": "embedding",
}
"""Name of the view → kind of the columns that it shows."""


def in_part(name: str, part: str) -> str:
    """Return the name of a value of one part: plain for ``test``, else prefixed.

    Examples
    --------
    >>> in_part("accuracy", "test"), in_part("accuracy", "train")
    ('accuracy', 'train/accuracy')
    """
    return name if part == "test" else f"{part}/{name}"


def results_views(part: str = "test", *, labels: Sequence[object] = ()) -> list[Stage]:
    """Return the views of one part of the ``results`` of an estimator.

    Parameters
    ----------
    part : {"train", "validation", "test"}
    labels : sequence
        Labels that the dataset declares, in order, also such as never occur.

    Returns
    -------
    list of Stage
        ``truth``, ``predicted``, ``probabilities`` (n_rows, n_labels), ``decision``,
        ``rows``, ``embedding`` (n_rows, n_columns), each a read-only array or None where
        the results have no such column, and ``labels``, a list.

    Raises
    ------
    UsageError
        There is no such part.

    Examples
    --------
    >>> [stage.name for stage in results_views("train")][:2]
    ['train/truth', 'train/predicted']
    """
    if part not in PARTS:
        raise UsageError(f"no part {part!r} of a fold", hint=did_you_mean(part, PARTS))
    looks: dict[str, Any] = {name: partial(_column, part, kind) for name, kind in COLUMNS.items()}
    # The order of the labels and those that no row has are the dataset's to say.
    looks["labels"] = partial(_labels, tuple(labels))
    return [view(look, name=in_part(name, part)) for name, look in looks.items()]


def _column(part: str, kind: str, results: pd.DataFrame) -> npt.NDArray[Any] | None:
    return select(results, part, kind, table=kind in ("probability", "embedding"))


def _labels(declared: tuple[object, ...], results: pd.DataFrame) -> list[object]:
    return list(labels_of(results, declared))
