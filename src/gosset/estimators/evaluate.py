"""Evaluates a fitted model on every row of a fold: the per-row results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..exceptions import DatasetError, require
from ..metrics.results import ordered, plain, typed_alike
from .functions import Evaluated, FunctionEstimator
from .introspect import task_of
from .responses import Responses, dense, final, respond
from .rows import count, part_positions, take, target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Columns: TypeAlias = "dict[str, npt.NDArray[Any]]"


def evaluate(
    model: Any,
    X: Any,
    y: Any,
    fold: Any,
    *,
    task: str = "",
    labels: Sequence[object] = (),
    evaluator: Callable[..., Any] | None = None,
    **parameters: object,
) -> pd.DataFrame:
    """Return what the model says of each row of each part, beside the truth.

    Parameters
    ----------
    model : object
        Fitted, with ``predict`` or (for the tasks without prediction) ``transform``.
    X, y
        Features and target(s) of the whole dataset, `y` None where there is none.
    fold : Fold or None
        None: all rows are training rows.
    task : str
        What was declared; empty: told from the model and `y`.
    labels : sequence
        Labels that the dataset declares, in order; of several targets their names. Where
        `y` holds integer codes, these are what they stand for.
    evaluator : callable, optional
        ``evaluator(model, X, **parameters)`` gives the predictions, or them and the
        probabilities, in the place of the model's own ``predict``.
    **parameters
        Of the evaluator.

    Returns
    -------
    DataFrame
        In the layout of :mod:`gosset.metrics.results`, the parts in order. A clustering
        or embedding that can only be had for the rows that it was fitted on has rows of
        the training part alone.

    Raises
    ------
    DatasetError
        The task cannot be told, or the model cannot do it.
    MissingExtraError
        pandas is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = np.zeros((3, 1)), np.array(["a", "b", "b"])
    >>> evaluate(DummyClassifier().fit(X, y), X, y, None)
        part  row truth predicted  probability:a  probability:b
    0  train    0     a         b       0.333333       0.666667
    1  train    1     b         b       0.333333       0.666667
    2  train    2     b         b       0.333333       0.666667
    """
    require("pandas", "frames", "keeping per-row results")
    import numpy as np
    import pandas as pd

    y = target(y)
    told = task_of(model, y, task)
    if evaluator is not None:
        model = Evaluated(model, evaluator, parameters)
    parts = part_positions(fold, X)
    if _in_sample(model, told):
        parts = {"train": parts["train"]}
    rows = np.concatenate(list(parts.values()))
    asked = _Asked(model, X, y, parts, rows, tuple(labels))
    columns = {"part": asked.part_column(), "row": asked.rows, **_BY_TASK[told](asked)}
    return pd.DataFrame(columns, copy=False)


@dataclass(slots=True)
class _Asked:
    """The rows that are evaluated, in the order of the results."""

    model: Any
    X: Any
    y: Any
    parts: dict[str, npt.NDArray[np.int64]]
    rows: npt.NDArray[np.int64]
    labels: tuple[object, ...]

    def part_column(self) -> Any:
        import numpy as np
        import pandas as pd

        codes = np.repeat(
            np.arange(len(self.parts), dtype=np.int8), [*map(len, self.parts.values())]
        )
        return pd.Categorical.from_codes(codes, dtype=_part_type(tuple(self.parts)))

    def of_rows(self, answer: Callable[[Any], Any]) -> Any:
        """Return what `answer` gives for the features of the rows, in their order.

        Models answer row by row, so one call does for all parts; where these are all of
        the data, it is not copied first.
        """
        if isinstance(self.model, Evaluated | FunctionEstimator):
            # A user's function may look at its rows as a whole: each part goes by itself.
            return _joined([answer(take(self.X, rows)) for rows in self.parts.values()])
        if len(self.rows) < count(self.X):
            return answer(take(self.X, self.rows))
        return _reordered(answer(self.X), self.rows)

    def truth(self) -> npt.NDArray[Any] | None:
        import numpy as np

        return None if self.y is None else np.asarray(take(self.y, self.rows))

    def names(self, values: npt.NDArray[Any]) -> list[str]:
        """Return the names of the columns for each of several targets."""
        targets = values.shape[1]
        if len(self.labels) == targets:
            return [str(label) for label in self.labels]
        return [str(name) for name in getattr(self.y, "columns", range(targets))]


@functools.cache
def _part_type(parts: tuple[str, ...]) -> Any:
    import pandas as pd

    return pd.CategoricalDtype(list(parts))


def _joined(answers: list[Any]) -> Any:
    import numpy as np

    if not isinstance(answers[0], Responses):
        return np.concatenate(answers)
    each = zip(*answers, strict=True)
    return Responses(*(None if said[0] is None else np.concatenate(said) for said in each))


def _reordered(answer: Any, rows: npt.NDArray[np.int64]) -> Any:
    if isinstance(answer, Responses):
        return Responses(*(_reordered(each, rows) for each in answer))
    if isinstance(answer, list):
        return [each[rows] for each in answer]
    return None if answer is None else answer[rows]


def _in_sample(model: Any, task: str) -> bool:
    """Whether the model tells only of the rows that it was fitted on."""
    needed = {"clustering": "predict", "outlier": "predict", "transform": "transform"}
    return task in needed and not hasattr(model, needed[task])


def _classification(asked: _Asked) -> Columns:
    import numpy as np

    said = asked.of_rows(lambda X: respond(asked.model, X, classes=True))
    truth = asked.truth()
    decode = _decoder(asked)
    columns: Columns = {} if truth is None else {"truth": decode(truth)}
    columns["predicted"] = decode(said.predicted)
    scores = said.decision if said.probabilities is None else said.probabilities
    if scores is None:
        return columns
    # A wrapper of the fitted model may not tell the classes: they are what it has seen.
    seen = said.predicted if truth is None else truth
    known = plain(decode(np.asarray(getattr(asked.model, "classes_", np.unique(seen)))))
    if scores.ndim == 1:
        # The model speaks for the second of its classes, which may be declared the first.
        turned = typed_alike(asked.labels, known) == known[::-1]
        return columns | {"decision": -scores if turned else scores}
    if len(known) != scores.shape[1]:
        raise DatasetError(
            f"{type(asked.model).__name__} gives {scores.shape[1]} columns for {len(known)} labels"
        )
    return columns | _label_columns(scores, known, columns, asked.labels, said.decision is not None)


def _label_columns(
    scores: npt.NDArray[Any],
    known: list[object],
    columns: Columns,
    declared: tuple[object, ...],
    decision: bool,
) -> Columns:
    """Return a column for each label; those that the model does not know are impossible."""
    import numpy as np

    seen = set(plain(np.unique(columns["truth"]))) if "truth" in columns else set()
    others = ordered(seen - set(known))
    everyone = dict.fromkeys([*typed_alike(declared, [*known, *others]), *known, *others])
    kind, never = ("decision", -np.inf) if decision else ("probability", 0.0)
    position = {label: index for index, label in enumerate(known)}
    absent = np.full(len(scores), never)
    return {
        f"{kind}:{label}": scores[:, position[label]] if label in position else absent
        for label in everyone
    }


def _decoder(asked: _Asked) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Return the function from codes to the labels that they stand for."""
    import numpy as np

    coded = asked.y is not None and np.asarray(take(asked.y, asked.rows[:1])).dtype.kind in "iu"
    numbered = all(str(label) == str(code) for code, label in enumerate(asked.labels))
    if not coded or numbered or not all(isinstance(label, str) for label in asked.labels):
        return lambda values: values
    names = np.array(asked.labels, dtype=object)
    return lambda codes: names[codes]


def _multilabel(asked: _Asked) -> Columns:
    import numpy as np

    said = asked.of_rows(lambda X: respond(asked.model, X, classes=True))
    truth = asked.truth()
    names = asked.names(said.predicted)
    columns = _several("truth", names, truth) | _several("predicted", names, said.predicted)
    scores = said.probabilities
    if isinstance(scores, list):
        each = asked.model.classes_
        scores = np.stack([_of_one(s, c) for s, c in zip(scores, each, strict=True)], axis=1)
    columns |= _several("probability", names, scores)
    return columns | _several("decision", names, said.decision)


def _of_one(scores: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the probability of 1; a target that never varied has one column alone."""
    import numpy as np

    found = np.flatnonzero(np.asarray(classes) == 1)
    return scores[:, found[0]] if len(found) else np.zeros(len(scores))


def _several(kind: str, names: list[str], values: npt.NDArray[Any] | None) -> Columns:
    if values is None:
        return {}
    return {f"{kind}:{name}": values[:, index] for index, name in enumerate(names)}


def _regression(asked: _Asked) -> Columns:
    predicted = asked.of_rows(lambda X: respond(asked.model, X, classes=False)).predicted
    truth = asked.truth()
    if predicted.ndim == 2:
        names = asked.names(predicted)
        return _several("truth", names, truth) | _several("predicted", names, predicted)
    return ({} if truth is None else {"truth": truth}) | {"predicted": predicted}


def _clustering(asked: _Asked) -> Columns:
    if _in_sample(asked.model, "clustering"):
        predicted = final(asked.model).labels_
    else:
        predicted = asked.of_rows(asked.model.predict)
    truth = asked.truth()
    known = {} if truth is None or truth.ndim > 1 else {"truth": _decoder(asked)(truth)}
    return known | {"predicted": dense(predicted)}


def _outlier(asked: _Asked) -> Columns:
    import numpy as np

    if _in_sample(asked.model, "outlier"):
        # The local outlier factor tells of its training rows only, and only by attributes.
        last = final(asked.model)
        score = last.negative_outlier_factor_ - last.offset_
        predicted = np.where(score < 0, -1, 1)
    else:
        predicted = asked.of_rows(asked.model.predict)
        scored = hasattr(asked.model, "decision_function")
        score = asked.of_rows(asked.model.decision_function) if scored else None
    truth = asked.truth()
    known = {} if truth is None or truth.ndim > 1 else {"truth": truth}
    return known | {"predicted": predicted} | ({} if score is None else {"decision": score})


def _transform(asked: _Asked) -> Columns:
    if _in_sample(asked.model, "transform"):
        embedding = dense(final(asked.model).embedding_)
    else:
        embedding = asked.of_rows(lambda X: dense(asked.model.transform(X)))
    truth = asked.truth()
    known = {} if truth is None or truth.ndim > 1 else {"truth": _decoder(asked)(truth)}
    return known | {
        f"embedding:{index}": embedding[:, index] for index in range(embedding.shape[1])
    }


_BY_TASK: dict[str, Callable[[_Asked], Columns]] = {
    "classification": _classification,
    "multilabel": _multilabel,
    "regression": _regression,
    "multioutput": _regression,
    "clustering": _clustering,
    "outlier": _outlier,
    "transform": _transform,
}
