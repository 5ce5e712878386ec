"""Identity of datasets: the digest, and the way through artifacts and back."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import gosset.datasets as gd
from gosset.artifacts.memory import MemoryArtifacts
from gosset.datasets import from_arrays, from_entity, from_frame, to_entity

ALL_KINDS = pd.DataFrame(
    {
        "i8": np.array([1, 2, 3], dtype="int8"),
        "f4": np.array([0.1, np.nan, -0.0], dtype="float32"),
        "text": ["a", None, "ü\n"],
        "object": np.array(["x", "y", None], dtype=object),
        "flag": [True, False, True],
        "category": pd.Categorical(["b", None, "a"], ["b", "a", "unused"], ordered=True),
        "codes": pd.Categorical([3, 1, 3]),
        "time": pd.to_datetime(["2020-01-01 08:30", None, "2021-06-01 12:00"]),
        "zone": pd.to_datetime(["2020-01-01"] * 3).tz_localize("Europe/Berlin"),
        "delta": pd.to_timedelta([1, 2, 3], unit="s"),
        "Int64": pd.array([1, None, 3], dtype="Int64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "string": pd.array(["p", None, "q"], dtype="string"),
        "target": pd.Categorical(["u", "v", "u"]),
    }
)


def cases():
    yield "all kinds", from_frame(ALL_KINDS, name="d", target="target", groups="i8")
    for name, index in {
        "text index": pd.Index(["a", "b", "a"], name="id"),
        "dates": pd.date_range("2020-01-01", periods=3),
        "two levels": pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (2, "a")], names=["k", None]),
        "integers": pd.Index([5, 5, 7]),
    }.items():
        yield (
            name,
            from_frame(ALL_KINDS[["f4", "target"]].set_index(index), name="d", target="target"),
        )
    yield "iris", gd.load_iris()
    yield "linnerud", gd.load_linnerud()
    yield "fortran", from_arrays(np.asfortranarray(np.arange(6.0).reshape(3, 2)), name="d")
    yield (
        "images",
        from_arrays(np.zeros((3, 2, 2), "u1"), ["a", "bb", "c"], groups=[1, 1, 2], name="d"),
    )
    yield "sparse", from_arrays(sp.random_array((9, 5), rng=0).tocsr(), np.arange(9.0), name="d")
    yield "matrix", from_arrays(sp.csr_matrix(np.eye(3)), name="d")
    yield "documents", from_arrays(["a", "", "long " * 500], [True, False, True], name="d")
    yield "frame and y", from_arrays(ALL_KINDS[["i8", "text"]], [1.5, 2.5, 3.5], name="d")
    yield "graph", gd.as_source(nx.karate_club_graph())


@pytest.mark.parametrize("source", [s for _, s in cases()], ids=[n for n, _ in cases()])
def test_data_come_back_as_they_were_without_trust(source):
    artifacts, data = MemoryArtifacts(), source.load()
    kept = to_entity(source.name, data, artifacts, description="d", source=source.source)
    back = from_entity(kept, artifacts)
    assert (kept.digest, kept.rows, kept.columns) == (data.digest, data.rows, data.columns)
    assert (back.digest, back.rows, back.columns) == (data.digest, data.rows, data.columns)
    assert (back.features_digest, back.target_digest) == (data.features_digest, data.target_digest)
    assert list(back.content) == list(data.content)
    for name, part in data.content.items():
        same(back.content[name], part)
    assert (back.targets, back.labels) == (data.targets, data.labels)


def same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_freq=False)
    elif sp.issparse(expected):
        assert (found != expected).nnz == 0
        assert found.dtype == expected.dtype
    else:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_content_is_kept_once():
    artifacts, data = MemoryArtifacts(), gd.load_digits().load()
    first = to_entity("a", data, artifacts)
    before = len(list(artifacts.list()))
    second = to_entity("b", gd.load_digits().load(), artifacts)
    assert [ref.digest for ref in first.content] == [ref.digest for ref in second.content]
    assert len(list(artifacts.list())) == before
    assert (first.version, first.created) == (0, None)


BASE = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"], "t": [0, 1, 0]})


def digest(frame=BASE, target="t", **options):
    return from_frame(frame, name="d", target=target, **options).load().digest


def test_name_description_and_units_are_no_part_of_the_identity():
    named = from_frame(BASE, name="other", target="t", units={"a": "cm"}, description="d").load()
    assert named.digest == digest()
    assert digest(BASE.copy()) == digest()


@pytest.mark.parametrize(
    "changed",
    [
        digest(BASE.assign(a=[1.0, 2.0, np.nextafter(3.0, 4)])),
        digest(BASE.assign(b=["x", "y", "Z"])),
        digest(BASE.assign(t=[0, 1, 1])),
        digest(BASE.astype({"t": "int32"})),
        digest(BASE.astype({"b": "category"})),
        digest(BASE.rename(columns={"a": "c"})),
        digest(BASE[["b", "a", "t"]]),
        digest(BASE.iloc[[0, 2, 1]]),
        digest(BASE.iloc[:2]),
        digest(target=None),
        digest(target="b"),
        digest(target="b", groups="t"),
        digest(labels=["no", "yes"]),
    ],
)
def test_any_change_of_content_names_types_roles_or_labels_is_another_version(changed):
    assert changed != digest()


def test_features_and_targets_have_digests_of_their_own():
    data = from_frame(BASE, name="d", target="t").load()
    relabelled = from_frame(BASE.assign(t=[1, 1, 0]), name="d", target="t").load()
    assert relabelled.features_digest == data.features_digest
    assert relabelled.target_digest != data.target_digest


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 4),
    cell=st.floats(allow_nan=False),
    seed=st.integers(0, 9),
    at=st.integers(0, 10_000),
)
@settings(max_examples=60, deadline=None)
def test_one_changed_cell_anywhere_is_another_digest(rows, columns, cell, seed, at):
    X = np.random.default_rng(seed).normal(size=(rows, columns))
    before = from_arrays(X.copy(), name="d").load().digest
    old, position = X.flat[at % X.size], at % X.size
    X.flat[position] = cell
    assert (from_arrays(X, name="d").load().digest == before) == (cell == old)
