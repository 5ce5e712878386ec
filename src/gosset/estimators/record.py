"""Per-row results of a fold as one JSON record, for exchange with other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..metrics.results import columns_of, part_rows
from ..types import JSONValue

if TYPE_CHECKING:
    import pandas as pd


def results_record(
    results: pd.DataFrame, *, dataset: str, fold: Any, split_num: int, task: str
) -> dict[str, JSONValue]:
    """Return the record of what was predicted for the test rows of a fold.

    Parameters
    ----------
    results : DataFrame
        Of :func:`evaluate`.
    dataset : str
        Name.
    fold : Fold or None
        None: the rows are those of the results.
    split_num : int
        Number of the fold, from 0.
    task : str

    Returns
    -------
    dict
        ``dataset``, ``training_samples``, ``testing_samples``, ``split_num``,
        ``training_indices``, ``testing_indices``, ``type`` and ``predictions``: row
        number (as text, as JSON has it) → ``truth``, ``predicted``, ``probabilities`` (a
        list, empty where there are none; with several targets all three are lists).

    Examples
    --------
    >>> import pandas as pd
    >>> results = pd.DataFrame(
    ...     {"part": ["train", "test"], "row": [0, 1], "truth": ["a", "b"], "predicted": ["a", "a"]}
    ... )
    >>> record = results_record(
    ...     results, dataset="letters", fold=None, split_num=0, task="classification"
    ... )
    >>> record["training_indices"], record["predictions"]
    ([0], {'1': {'truth': 'b', 'predicted': 'a', 'probabilities': []}})
    """
    training, testing = (
        _rows(results, part) if fold is None else [int(row) for row in getattr(fold, part)]
        for part in ("train", "test")
    )
    tested = results[part_rows(results, "test")]
    truth, predicted = _values(tested, "truth"), _values(tested, "predicted")
    probabilities = tested[columns_of(results, "probability")].to_numpy().tolist()
    predictions: dict[str, JSONValue] = {
        str(row): {
            "truth": truth[at],
            "predicted": predicted[at],
            "probabilities": probabilities[at],
        }
        for at, row in enumerate(tested["row"].tolist())
    }
    return {
        "dataset": dataset,
        "training_samples": len(training),
        "testing_samples": len(testing),
        "split_num": split_num,
        "training_indices": list(training),
        "testing_indices": list(testing),
        "type": task,
        "predictions": predictions,
    }


def _rows(results: pd.DataFrame, part: str) -> list[int]:
    return results["row"].to_numpy()[part_rows(results, part)].tolist()  # type: ignore[no-any-return]


def _values(results: pd.DataFrame, kind: str) -> list[Any]:
    """Return one value a row, or a list of one for each target; None where there is none."""
    names = columns_of(results, kind)
    if not names:
        return [None] * len(results)
    if names == [kind]:
        return results[kind].tolist()
    return [list(row) for row in zip(*(results[name].tolist() for name in names), strict=True)]
