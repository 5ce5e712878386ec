"""Pickles: what they take, and what is said of what they cannot."""

from __future__ import annotations

import io
import itertools
import pickle
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gosset.exceptions import SerializationError
from gosset.serializers import choose, get
from gosset.serializers.pickles import PickleSerializer


def dumped(value: object) -> bytes:
    buffer = io.BytesIO()
    get("pickle").dump(value, buffer)
    return buffer.getvalue()


def round_trip(value: object) -> Any:
    return get("pickle").load(io.BytesIO(dumped(value)))


class Model:
    __slots__ = ("extra", "layers")

    def __init__(self, *layers: object) -> None:
        self.layers = list(layers)


class Cautious:
    """Keeps its lock to itself when it is pickled."""

    def __init__(self, content: object = None) -> None:
        self.lock = threading.Lock()
        self.content = content

    def __getstate__(self) -> dict[str, object]:
        return {"content": self.content}


class Failing:
    def __reduce__(self) -> str:
        raise RuntimeError("not today")


def test_functions_and_local_classes_come_back() -> None:
    factor = 3

    class Scaled:
        def __call__(self, number: int) -> int:
            return factor * number

    assert round_trip(lambda number: number + factor)(4) == 7
    assert round_trip(Scaled())(4) == 12


def test_shared_parts_stay_shared() -> None:
    inner: list[object] = []
    back = round_trip((inner, inner, object))
    assert back[0] is back[1]


def test_large_arrays_in_objects_come_back() -> None:
    model = Model(np.arange(100_000.0))
    np.testing.assert_array_equal(round_trip(model).layers[0], model.layers[0])


def test_estimators_fitted_alike_have_equal_bytes() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    features = np.random.default_rng(1).random((50, 3))
    target = [0, 1] * 25
    for make in (
        lambda: make_pipeline(StandardScaler(), SVC()),
        lambda: RandomForestClassifier(5, random_state=1),
    ):
        first, second = make().fit(features, target), make().fit(features, target)
        assert dumped(first) == dumped(second)


PROCESS_BOUND: dict[str, Callable[[], object]] = {
    "a generator is used up": lambda: (number for number in [1, 2]),
    "an iterator is used up": lambda: map(str, [1]),
    "an iterator": lambda: zip([1], [2], strict=True),
    "an iterator is": lambda: iter({}.items()) if False else iter([1]),
    "iterator": lambda: itertools.chain([1]),
    "an open file": lambda: open(__file__),  # noqa: SIM115
    "open file": lambda: tempfile.NamedTemporaryFile(),  # noqa: SIM115
    "return its path": io.BytesIO,
    "locks and threads": threading.Lock,
    "locks": threading.Condition,
    "threads": threading.Thread,
    "a connection belongs": socket.socket,
    "a database connection": lambda: sqlite3.connect(":memory:"),
}


@pytest.mark.parametrize("hint", PROCESS_BOUND)
def test_what_is_bound_to_its_process_is_refused_with_advice(hint: str) -> None:
    value: Any = PROCESS_BOUND[hint]()
    try:
        with pytest.raises(SerializationError) as caught:
            choose(value, where="stage 'read', output 'data'")
    finally:
        if hasattr(value, "close"):
            value.close()
    assert caught.value.message.startswith("stage 'read', output 'data': a ")
    assert hint in caught.value.hint


async def _answer() -> int:
    return 42


def test_a_coroutine_is_refused_with_advice() -> None:
    coroutine = _answer()
    with pytest.raises(SerializationError, match="has to be awaited"):
        choose(coroutine)
    coroutine.close()


def refused(value: object) -> SerializationError:
    with pytest.raises(SerializationError) as caught:
        dumped(value)
    return caught.value


def test_the_part_that_cannot_be_pickled_is_named() -> None:
    lock = threading.Lock()
    assert "its part ['a'][1], a lock," in str(refused({"a": [1, lock]}))
    assert "its part .layers[1].content, a lock," in str(refused(Model(1, Cautious(lock))))
    assert "its part .<lock>, a lock," in str(refused(lambda: lock))
    assert "leave it out" in refused([lock]).hint
    generators = {"rows": (number for number in [1])}
    assert "its part ['rows'], a generator," in str(refused(generators))
    assert "return a list" in refused(generators).hint


def test_an_error_of_the_value_itself_is_told() -> None:
    error = refused([Failing()])
    assert "its part [0], a Failing, cannot be pickled (not today)" in str(error)
    assert isinstance(error.__cause__, RuntimeError)
    assert "it cannot be pickled" in str(refused(Failing()))


def test_a_value_that_contains_itself_and_cannot_be_pickled_ends() -> None:
    value: list[object] = []
    value += [value, threading.Lock()]
    assert "its part [1], a lock," in str(refused(value))


def test_attributes_kept_back_are_not_blamed() -> None:
    assert round_trip(Cautious(1).__getstate__()) == {"content": 1}
    assert ".content" in str(refused(Cautious(n for n in [1])))


def test_reading_a_pickle_is_not_safe_and_says_so() -> None:
    assert not PickleSerializer().safe
    assert pickle.loads(dumped({"a": 1})) == {"a": 1}
