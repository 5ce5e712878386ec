"""Choosing, finding and registering serializers; text and bytes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any, BinaryIO

import pytest

import gosset.serializers
from gosset.exceptions import NotFoundError, SerializationError, UsageError
from gosset.serializers import Sink, choose, get, register, serializers


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gosset.serializers, "_registered", list(serializers()))


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


class PointSerializer:
    name = "point"
    extension = ".point"
    safe = True

    def takes(self, value: object) -> bool:
        return type(value) is Point

    def dump(self, value: Any, file: Sink) -> None:
        file.write(str(value.x).encode())

    def load(self, file: BinaryIO) -> object:
        return Point(int(file.read()))


def test_the_first_that_takes_a_value_is_chosen() -> None:
    values = {"text": "a", "bytes": b"a", "json": {"a": 1}, "pickle": Counter(a=1)}
    assert {choose(value).name: value for value in values.values()} == values


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_text_that_utf8_cannot_write_is_kept_as_json(value: str) -> None:
    assert choose(value).name == "json"
    assert choose([value]).name == "json"
    assert choose({value: 1}).name == "json"


def test_subclasses_are_not_taken_for_their_bases() -> None:
    class Words(str):
        pass

    class Numbers(list):  # type: ignore[type-arg]
        pass

    for value in (Words("a"), Numbers([1]), [Words("a")]):
        assert choose(value).name == "pickle"


def test_an_unknown_format_has_a_suggestion() -> None:
    with pytest.raises(NotFoundError, match="no format is called 'jsn'; did you mean 'json'"):
        get("jsn")


def test_a_format_that_does_not_fit_is_refused_with_one_that_does() -> None:
    with pytest.raises(SerializationError, match=r"output 'x': a Counter .* as json") as caught:
        choose(Counter("a"), format="json", where="output 'x'")
    assert caught.value.hint == "format='pickle' takes it"


def test_any_value_can_be_asked_to_be_pickled() -> None:
    assert choose(1, format="pickle").name == "pickle"


def test_a_registered_serializer_is_asked_first() -> None:
    assert choose(Point(1)).name == "pickle"
    register(PointSerializer())
    assert choose(Point(1)).name == "point"
    assert serializers()[0].name == "point"


def test_a_serializer_can_stand_before_another() -> None:
    register(PointSerializer(), before="pickle")
    assert [serializer.name for serializer in serializers()][-2:] == ["point", "pickle"]
    with pytest.raises(NotFoundError, match="'npy'"):
        register(PointSerializerOf("other"), before="npyy")


class PointSerializerOf(PointSerializer):
    def __init__(self, name: str) -> None:
        self.name = name


def test_a_name_belongs_to_one_serializer() -> None:
    register(PointSerializer())
    again = PointSerializer()
    register(again)
    assert get("point") is again
    assert [one.name for one in serializers()].count("point") == 1
    for name in ("json", "point"):
        with pytest.raises(UsageError, match=f"called '{name}' already"):
            register(PointSerializerOf(name))


def test_importing_and_using_plain_values_loads_no_heavy_library() -> None:
    script = """
import sys
from gosset.artifacts import open_artifacts
from gosset.artifacts.values import keep, load
artifacts = open_artifacts("memory://")
assert load(keep({"a": (1, 2)}, "v", artifacts), artifacts) == {"a": (1, 2)}
keep(print, "p", artifacts)
print(*{"numpy", "pandas", "pyarrow", "scipy", "matplotlib", "polars", "fsspec"} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
