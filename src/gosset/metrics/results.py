"""The layout of per-row results: one row per part of a fold and row of the data.

=======================  =====================================================================
column                   content
=======================  =====================================================================
``part``                 ``train``, ``validation`` or ``test``
``row``                  position of the row in the dataset, int64
``truth``                true value; ``truth:TARGET`` where there are several targets
``predicted``            predicted value or cluster; ``predicted:TARGET`` likewise
``probability:LABEL``    probability of a class (of a target, where there are several)
``decision``             decision value (for the second of two labels); ``decision:LABEL`` where
                         each label has its own
``embedding:I``          column I of what a transformer made of the row
=======================  =====================================================================

The estimators write this layout and the metrics read it. Labels keep their own type in
``truth`` and ``predicted``; in the columns' names they are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..exceptions import UsageError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

PARTS = ("train", "validation", "test")
"""The parts of a fold, in the order of the rows of the results."""

TASKS = (
    "classification",
    "multilabel",
    "regression",
    "multioutput",
    "clustering",
    "transform",
    "outlier",
)
"""What an estimator can be asked to do."""


def check_task(task: str) -> str:
    """Return `task` if it is one of :data:`TASKS`.

    Raises
    ------
    UsageError
        It is not; the message names the nearest.
    """
    if task not in TASKS:
        raise UsageError(f"no task {task!r}", hint=did_you_mean(task, TASKS))
    return task


def columns_of(results: pd.DataFrame, kind: str) -> list[str]:
    """Return the names of the columns of one kind, in order.

    Parameters
    ----------
    results : DataFrame
        In the layout of this module.
    kind : str
        E.g. ``"truth"`` or ``"probability"``.

    Returns
    -------
    list of str
        ``[kind]`` itself, or every ``kind:…``; empty where there is none.
    """
    if kind in results.columns:
        return [kind]
    return [name for name in results.columns if name.startswith(f"{kind}:")]


def suffixes_of(results: pd.DataFrame, kind: str) -> list[str]:
    """Return what follows ``kind:`` in the columns' names: targets or labels, as text."""
    return [name.partition(":")[2] for name in columns_of(results, kind) if ":" in name]


def labels_of(results: pd.DataFrame, declared: Sequence[object] = ()) -> tuple[object, ...]:
    """Return the labels of classification results, in order.

    Parameters
    ----------
    results : DataFrame
        Of all parts: the training rows name the labels that the model knows.
    declared : sequence
        Labels in the order in which they shall stand, also such as never occur.

    Returns
    -------
    tuple
        The declared labels, then those of the probability columns, then any others that
        are true or predicted in some row, sorted. For several targets their names.
    """
    targets = suffixes_of(results, "truth") or suffixes_of(results, "predicted")
    if targets:
        return tuple(targets)
    seen: set[object] = set()
    for kind in ("truth", "predicted"):
        if kind in results.columns:
            seen.update(plain(results[kind].dropna().unique().tolist()))
    by_name = {str(label): label for label in seen}
    named = suffixes_of(results, "probability") or suffixes_of(results, "decision")
    cast = _cast_like(seen)
    columns = [by_name[name] if name in by_name else cast(name) for name in named]
    found = [*columns, *ordered(seen)]
    return tuple(dict.fromkeys([*typed_alike(declared, found), *found]))


def typed_alike(declared: Iterable[object], found: Iterable[object]) -> list[object]:
    """Return the declared labels as what was found under the same text.

    A dataset declares labels as text; the rows may hold numbers or truth values.

    Examples
    --------
    >>> typed_alike(["False", "True", "unknown"], [True, False])
    [False, True, 'unknown']
    """
    by_text = {str(label): label for label in found}
    return [by_text.get(str(label), label) for label in plain(declared)]


def ordered(labels: Iterable[object]) -> list[object]:
    """Return `labels` sorted; labels of mixed types by the type's name first.

    Examples
    --------
    >>> ordered({2, 10, 1}), ordered({"b", 1})
    ([1, 2, 10], [1, 'b'])
    """
    distinct = list(labels)
    try:
        return sorted(distinct)  # type: ignore[type-var]
    except TypeError:
        return sorted(distinct, key=lambda label: (type(label).__name__, str(label)))


def plain(labels: Iterable[Any]) -> list[object]:
    """Return labels as Python's own types instead of NumPy's.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.array([1, 2])), plain([np.str_("a")])
    ([1, 2], ['a'])
    """
    return [label.item() if hasattr(label, "item") else label for label in labels]


def _cast_like(seen: set[object]) -> Any:
    """Return the function from a label's text to the type of the labels `seen`."""
    kinds = {type(label) for label in seen}
    if len(kinds) != 1:
        return str
    kind = kinds.pop()
    if kind is bool:
        return lambda text: text == "True"
    return kind if kind in (int, float) else str


def select(
    results: pd.DataFrame, part: str, kind: str, *, table: bool = False
) -> npt.NDArray[Any] | None:
    """Return the values of one kind in one part.

    Parameters
    ----------
    part : {"train", "validation", "test"}
    kind : str
        E.g. ``"truth"`` or ``"probability"``.
    table : bool
        Give two dimensions even where there is one column.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_columns), or None
        Read-only; None where the results have no such column.
    """
    import numpy as np

    names = columns_of(results, kind)
    if not names:
        return None
    chosen = part_rows(results, part)
    columns = [results[name].to_numpy()[chosen] for name in names]
    single = names == [kind] and not table
    values: npt.NDArray[Any] = columns[0] if single else np.stack(columns, axis=1)
    values.flags.writeable = False
    return values


def part_rows(results: pd.DataFrame, part: str) -> npt.NDArray[np.bool_]:
    """Return the mask of the rows of `part`, of shape (n_rows,)."""
    column = results["part"]
    if hasattr(column, "cat"):
        # Comparing the codes is several times faster than comparing the categories.
        position = [*column.cat.categories, part].index(part)
        mask: npt.NDArray[np.bool_] = column.cat.codes.to_numpy() == position
        return mask
    mask = (column == part).to_numpy()
    return mask
