"""What a stage logged, through its outputs and back: every number, name and artifact."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gosset.artifacts.memory import MemoryArtifacts
from gosset.artifacts.values import keep
from gosset.planner.works import LOGGED
from gosset.running.logged import KEPT, POINTS, keep_logged, read_logged, without
from gosset.series import unpack
from gosset.storage.news import Alert, Kept
from gosset.tracking.account import Account

NUMBERS = st.one_of(
    st.floats(), st.integers(-(2**63), 2**64 - 1), st.booleans(), st.integers(2**70, 2**71)
)
STEPS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 100))
POINT = st.tuples(st.sampled_from(["a", "b/c"]), NUMBERS, STEPS, st.integers(0, 2**53))
BATCHES = st.lists(st.lists(POINT, max_size=20), max_size=5)


def series(points: Any) -> dict[str, list[tuple[int, str, int]]]:
    """Return name → step, value and time of each point, told apart by type and by bits."""
    chunks: dict[str, list[Any]] = {}
    for name, _, chunk in points:
        chunks.setdefault(name, []).append(chunk)
    found = {}
    for name, parts in chunks.items():
        columns = unpack(parts)
        told = map(repr, columns.values)
        found[name] = [*zip(columns.steps, told, columns.times, strict=True)]
    return found


def logged(batches: list[list[Any]]) -> dict[str, list[tuple[int, str, int]]]:
    following: dict[str, int] = {}
    found: dict[str, list[tuple[int, str, int]]] = {}
    for name, value, step, moment in (point for batch in batches for point in batch):
        at = following.get(name, 0) if step is None else step
        following[name] = at + 1
        found.setdefault(name, []).append((at, repr(value), moment))
    return found


@settings(deadline=None)
@given(BATCHES)
def test_points_come_back_from_the_outputs_exactly(batches: list[list[Any]]) -> None:
    account, artifacts = Account("r"), MemoryArtifacts()
    for batch in batches:
        account.log(batch)
        account.news()  # however often somebody looks
    outputs = keep_logged(account.whole(), artifacts)
    expected = logged(batches)
    assert bool(outputs) is bool(expected)
    if not outputs:
        return
    said = read_logged(outputs, artifacts, points=True)
    assert said is not None
    assert series(said.news.points) == expected
    assert {name: s.count for name, s in said.news.summaries.items()} == {
        name: len(points) for name, points in expected.items()
    }
    assert repr(said.news.summaries) == repr(account.summaries)
    stepped = {name for batch in batches for name, _, step, _ in batch if step is not None}
    assert set(said.stepped) == stepped


@settings(deadline=None)
@given(BATCHES)
def test_pieces_that_are_told_one_by_one_are_the_whole(batches: list[list[Any]]) -> None:
    account = Account("r", awake=lambda: None)
    told: dict[tuple[str, int], Any] = {}
    numbers = []
    for batch in batches:
        account.log(batch)
        saying = account.news()
        assert (saying is None) is not batch
        if saying is not None:
            numbers.append(saying.news.number)
            told |= {(name, number): chunk for name, number, chunk in saying.news.points}
    assert numbers == [*range(1, len(numbers) + 1)]
    points = [(name, number, told[name, number]) for name, number in sorted(told)]
    assert series(points) == logged(batches)
    assert account.whole().news.points == []  # nobody keeps what was told


def test_what_grows_is_told_at_a_cost_of_what_is_new() -> None:
    account = Account("r", awake=lambda: None)
    sizes = []
    for start in range(0, 50_000, 1000):
        account.log([("loss", 0.5, None, n) for n in range(start, start + 1000)])
        saying = account.news()
        assert saying is not None
        sizes.append(sum(len(chunk.values) for _, _, chunk in saying.news.points))
    assert max(sizes) < 2 * 8 * 1000


@pytest.fixture
def outputs() -> tuple[Any, MemoryArtifacts]:
    artifacts = MemoryArtifacts()
    account = Account("r")
    large = keep(bytes(5000), "fields['w']", artifacts, format="bytes")
    account.say("field", ("w", {"digest": large.digest}, [Kept(*_parts(large))]))
    account.say("field", ("plain", [1, {"$tuple": None}], []))
    account.say("artifacts", [Kept("note", "text", "0" * 64, 3, b"abc")])
    account.say("tags", ["a", "b"])
    account.say("untags", ["a"])
    account.say("params", {"extra": 3})
    account.say("alerts", [Alert(7, "error", "hot", "very")])
    account.log([("loss", 2**60 + 1, None, 5)])
    return keep_logged(account.whole(), artifacts), artifacts


def _parts(ref: Any) -> tuple[Any, ...]:
    return ref.name, ref.format, ref.digest, ref.size, ref.inline


def test_all_that_is_said_comes_back(outputs: tuple[Any, MemoryArtifacts]) -> None:
    said = read_logged(*outputs, points=True)
    assert said is not None
    news = said.news
    assert news.fields["plain"] == [1, {"$tuple": None}]
    assert {kept.name for kept in news.artifacts} == {"fields['w']", "note"}
    assert (news.tags, news.untags, news.params) == (["b"], ["a"], {"extra": 3})
    assert news.alerts == [Alert(7, "error", "hot", "very")]
    assert type(news.summaries["loss"].last) is int


def test_its_bytes_are_outputs_of_the_computation(outputs: tuple[Any, MemoryArtifacts]) -> None:
    names = [ref.name for ref in outputs[0]]
    assert names == [LOGGED, f"{KEPT}fields['w']", f"{KEPT}note", POINTS]


def test_points_are_read_where_they_are_wanted_only(outputs: tuple[Any, MemoryArtifacts]) -> None:
    refs, artifacts = outputs
    said = read_logged([ref for ref in refs if ref.name != POINTS], artifacts)
    assert said is not None
    assert said.news.points == ()
    assert said.news.summaries["loss"].last == 2**60 + 1


def test_names_that_clash_are_left_out_whole(outputs: tuple[Any, MemoryArtifacts]) -> None:
    said = read_logged(*outputs, points=True)
    assert said is not None
    news = without(said, ["loss", "w"]).news
    assert (list(news.points), news.summaries, list(news.fields)) == ([], {}, ["plain"])
    assert [kept.name for kept in news.artifacts] == ["note"]


def test_what_an_earlier_version_kept_is_read() -> None:
    artifacts = MemoryArtifacts()
    old = keep({"metrics": {"loss": 0.5}, "fields": {"n": 1}, "tags": ["t"]}, LOGGED, artifacts)
    said = read_logged([old], artifacts, points=True)
    assert said is not None
    assert said.news.summaries["loss"].last == 0.5
    assert (said.news.fields, said.news.tags) == ({"n": 1}, ["t"])


def test_who_said_nothing_has_no_such_outputs() -> None:
    artifacts = MemoryArtifacts()
    assert keep_logged(Account("r").whole(), artifacts) == ()
    assert read_logged([], artifacts) is None
